// While the server is silent the page knows nobody and would ask for a link. If this phone keeps a pass, that is shown
// instead, until the server has spoken; see pass_store.js for what is kept.
import { useEffect, useRef, useState } from "react";
import { DynamicPass } from "./dynamic_pass.jsx";
import { closeLater, closingIsDue, isOwnLink, recall, wipe } from "./pass_store.js";

const PAGE = "/pass";
const linkAsked = () => new URLSearchParams(window.location.search).get("link");

// The kept pass that may be shown at this address. A link shows no pass but the one that this phone opened with it.
async function fitting() {
  const entry = await recall();
  const link = linkAsked();
  return entry && (link === null || (await isOwnLink(entry, link))) ? entry : null;
}

async function isLive(endpoint) {
  const answer = await fetch(endpoint, { credentials: "include", cache: "no-store" });
  return answer.ok && (await answer.json()).status === "active";
}

export function KeptPass({ endpoint, closing, labels = {}, answered = false, open = false, children }) {
  const [entry, setEntry] = useState(null);
  const [forgotten, setForgotten] = useState(false);
  const form = useRef(null);

  useEffect(() => {
    let alive = true;
    fitting().then((found) => { if (alive) setEntry(found); }, () => {});
    return () => { alive = false; };
  }, []);

  useEffect(() => {
    if (!answered || linkAsked() !== null) return;
    if (open && closingIsDue()) form.current?.submit();
    else if (!open) wipe().catch(() => {});
  }, [answered, open]);

  // Who opened this link here before and shows the code by it need not answer again: the session says who it is.
  const byLink = Boolean(entry) && linkAsked() !== null;
  useEffect(() => {
    if (!answered || !byLink) return undefined;
    let alive = true;
    isLive(endpoint).catch(() => false).then((live) => {
      if (!alive) return;
      if (live) window.location.replace(PAGE);
      else setEntry(null);
    });
    return () => { alive = false; };
  }, [answered, byLink, endpoint]);

  // To forget works without a network too: here at once, at the server when the page is next open with one.
  useEffect(() => {
    const onSubmit = (event) => {
      if (new URL(event.target.action).pathname !== closing) return;
      closeLater();
      wipe().catch(() => {});
      if (navigator.onLine !== false) return;
      event.preventDefault();
      setForgotten(true);
    };
    document.addEventListener("submit", onSubmit);
    return () => document.removeEventListener("submit", onSubmit);
  }, [closing]);

  const instead = entry && !forgotten && (!answered || byLink);
  useEffect(() => {
    if (instead) window.readerLanguage?.settle(entry.labels.locale);
  }, [instead, entry]);

  const words = entry?.labels ?? labels;
  return (
    <>
      {forgotten ? <p className="center" role="status">{words.forgotten}</p> : null}
      {instead ? (
        <div className="kept-pass">
          <h1>{words.title}</h1>
          <DynamicPass endpoint={endpoint} labels={words} />
        </div>
      ) : null}
      <form ref={form} action={closing} method="post" className="center" hidden={!instead}>
        <button type="submit" className="btn danger small">{words.forget}</button>
      </form>
      {instead || forgotten ? null : children}
    </>
  );
}
