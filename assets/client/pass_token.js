// The rotating pass code: pure functions, no DOM, no clock. Tested in node against tests/golden/pass_tokens.json.
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";

export const STEP_SECONDS = 30;
export const TOKEN_PREFIX = "V1";
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"; // RFC 4648
const VERSION = 1;
const MAC_BYTES = 16;

/** Base32 (RFC 4648) in upper case without padding. */
export function base32(bytes) {
  let out = "";
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xffff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      out += ALPHABET[(value >>> bits) & 31];
    }
  }
  if (bits > 0) out += ALPHABET[(value << (5 - bits)) & 31];
  return out;
}

/** Bytes of a base64url (or base64) text. */
export function fromBase64Url(text) {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/").replace(/=+$/, ""));
  return Uint8Array.from(plain, (char) => char.charCodeAt(0));
}

/** The 30 s step a server time in unix seconds lies in. */
export function stepAt(unixSeconds) {
  return Math.floor(unixSeconds / STEP_SECONDS);
}

/** The 14 bytes that the MAC is made of: version | kid | code id | step. */
export function passMessage(codeIdHex, kid, step) {
  if (!/^[0-9a-f]{16}$/i.test(codeIdHex)) throw new RangeError("code id must be 16 hex digits");
  if (!Number.isInteger(kid) || kid < 0 || kid > 255) throw new RangeError("kid must fit one byte");
  if (!Number.isInteger(step) || step < 0 || step > 0xffffffff) throw new RangeError("step must fit four bytes");
  const message = new Uint8Array(14);
  message[0] = VERSION;
  message[1] = kid;
  for (let i = 0; i < 8; i += 1) message[2 + i] = parseInt(codeIdHex.slice(i * 2, i * 2 + 2), 16);
  new DataView(message.buffer).setUint32(10, step, false);
  return message;
}

/** 50 characters: "V1" + base32(message | first 16 bytes of HMAC-SHA256 over it). */
function written(message, mac) {
  const whole = new Uint8Array(message.length + MAC_BYTES);
  whole.set(message);
  whole.set(mac.subarray(0, MAC_BYTES), message.length);
  return TOKEN_PREFIX + base32(whole);
}

/** The code of a step from the secret itself; works without a secure context too. */
export function passToken(codeIdHex, kid, secretBytes, step) {
  const message = passMessage(codeIdHex, kid, step);
  return written(message, hmac(sha256, secretBytes, message));
}

/** A key that makes codes and cannot be read out again, to be kept on the phone. */
export function sealedKey(secretBytes) {
  return crypto.subtle.importKey("raw", secretBytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
}

/** The code of a step from a sealed key. */
export async function sealedToken(codeIdHex, kid, key, step) {
  const message = passMessage(codeIdHex, kid, step);
  return written(message, new Uint8Array(await crypto.subtle.sign("HMAC", key, message)));
}
