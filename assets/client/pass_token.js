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

/** 50 characters: "V1" + base32(version | kid | code id | step | first 16 bytes of HMAC-SHA256). */
export function passToken(codeIdHex, kid, secretBytes, step) {
  if (!/^[0-9a-f]{16}$/i.test(codeIdHex)) throw new RangeError("code id must be 16 hex digits");
  if (!Number.isInteger(kid) || kid < 0 || kid > 255) throw new RangeError("kid must fit one byte");
  if (!Number.isInteger(step) || step < 0 || step > 0xffffffff) throw new RangeError("step must fit four bytes");
  const message = new Uint8Array(14);
  message[0] = VERSION;
  message[1] = kid;
  for (let i = 0; i < 8; i += 1) message[2 + i] = parseInt(codeIdHex.slice(i * 2, i * 2 + 2), 16);
  new DataView(message.buffer).setUint32(10, step, false);
  const mac = hmac(sha256, secretBytes, message).subarray(0, MAC_BYTES);
  const whole = new Uint8Array(message.length + MAC_BYTES);
  whole.set(message);
  whole.set(mac, message.length);
  return TOKEN_PREFIX + base32(whole);
}
