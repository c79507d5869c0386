"""One opened source through OpenCV: network camera, camera of this computer or file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hardware.camera_feed import is_usable
from hardware.drivers.vision import fit, load_cv2

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Frame = npt.NDArray[np.uint8]

OPEN_TIMEOUT_MS = 3000
READ_TIMEOUT_MS = 2000
UNPACED_FPS = 25.0
MAX_PLAUSIBLE_FPS = 240.0
UNDECODED = -1
JPEG_END, HUFFMAN_TABLES = b"\xff\xd9", b"\xff\xc4"
# Some cameras fill up behind the end of the picture.
END_WITHIN = 64
PASSED_ON_BYTES = 200_000


@dataclass(frozen=True, slots=True)
class Source:
    """Where frames come from and how many of what size are wanted."""

    address: int | str
    fps: float
    width: int
    height: int
    loop: bool

    @property
    def is_file(self) -> bool:
        """Tell a file, which must be played at its own speed, from a live source."""
        return isinstance(self.address, str) and "://" not in self.address


class Capture:
    """Gives frames, and with them the camera's own JPEG where there is one, so that nobody need encode it again."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._capture = self._open()
        self._jpegs = self._gives_jpegs()

    @property
    def opened(self) -> bool:
        """Whether there is anything at the address."""
        return bool(self._capture.isOpened())

    @property
    def interval(self) -> float:
        """Seconds between two pictures of a file."""
        fps = float(self._capture.get(load_cv2().CAP_PROP_FPS))
        return 1.0 / (fps if 0 < fps <= MAX_PLAUSIBLE_FPS else UNPACED_FPS)

    def grab(self) -> bool:
        """Take the next frame without looking at it."""
        return bool(self._capture.grab())

    def retrieve(self) -> tuple[Frame | None, bytes | None]:
        """The frame that was grabbed, no larger than wanted, and its JPEG if it may be passed on as it is."""
        got, data = self._capture.retrieve()
        if not got or data is None:
            return None, None
        if self._jpegs:
            return self._decoded(data)
        return (fit(data, self._source.width, self._source.height) if is_usable(data) else data), None

    def release(self) -> None:
        """Close it."""
        self._capture.release()

    def _open(self) -> Any:
        cv2 = load_cv2()
        address = self._source.address
        if isinstance(address, int):
            capture = cv2.VideoCapture(address)
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, self._source.width)
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, self._source.height)
            return capture
        limits = [
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
            OPEN_TIMEOUT_MS,
            cv2.CAP_PROP_READ_TIMEOUT_MSEC,
            READ_TIMEOUT_MS,
        ]
        return cv2.VideoCapture(address, cv2.CAP_FFMPEG, limits)

    def _gives_jpegs(self) -> bool:
        """Ask an MJPEG camera for its pictures as they came.

        OpenCV would decode those that nobody wants, and squeeze all into the size of the first one.
        """
        address = self._source.address
        if not isinstance(address, str) or not address.startswith(("http://", "https://")) or not self.opened:
            return False
        cv2 = load_cv2()
        codec = int(self._capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little", signed=False)
        return codec == b"MJPG" and bool(self._capture.set(cv2.CAP_PROP_FORMAT, UNDECODED))

    def _decoded(self, data: Frame) -> tuple[Frame | None, bytes | None]:
        cv2 = load_cv2()
        jpeg = data.tobytes()
        if JPEG_END not in jpeg[-END_WITHIN:]:
            return None, None  # half a picture, which a decoder would fill up with grey
        frame = cv2.imdecode(data, cv2.IMREAD_COLOR)
        if frame is None:
            return None, None
        fitted = fit(frame, self._source.width, self._source.height)
        # A browser needs the tables that some cameras leave out.
        passable = fitted is frame and len(jpeg) <= PASSED_ON_BYTES and HUFFMAN_TABLES in jpeg
        return fitted, jpeg if passable else None
