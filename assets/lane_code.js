// A new code twice a minute. Without one the old is taken away: it would lead nobody anywhere.
const EVERY_MS = 20000;
const image = document.getElementById("code");
const gone = document.getElementById("gone");
const show = (ok) => {
  image.hidden = !ok;
  gone.hidden = ok;
};
const renew = async () => {
  try {
    const answer = await fetch("/api/lane-code.svg", { cache: "no-store", credentials: "same-origin" });
    if (!answer.ok) throw new Error(String(answer.status));
    const old = image.src;
    image.src = URL.createObjectURL(await answer.blob());
    if (old.startsWith("blob:")) URL.revokeObjectURL(old);
    show(true);
  } catch {
    show(false);
  }
};
image.addEventListener("error", () => show(false));
setInterval(renew, EVERY_MS);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) renew();
});
