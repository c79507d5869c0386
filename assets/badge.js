// Opens the print dialogue once the badge is drawn; the window closes itself after printing.
window.addEventListener("afterprint", () => window.close());
window.addEventListener("load", () => window.print());
