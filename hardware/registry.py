"""Which drivers exist, what settings they take, and how to make one: the only table to extend for a new device."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hardware.ports import DeviceConfig, Driver, Emulator


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of a device's settings, as a form needs it; `types` are alternatives, `choices` all that is allowed."""

    name: str
    types: tuple[str, ...]
    required: bool = False
    default: Any = None
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()

    def accepts(self, value: Any) -> bool:
        """Tell whether the value has one of the types."""
        return any(_CHECKS[kind](value) for kind in self.types)

    def within(self, value: Any) -> bool:
        """Tell whether a number lies in the range; other values have none."""
        if isinstance(value, str | bool):
            return True
        low = self.minimum is None or value >= self.minimum
        return low and (self.maximum is None or value <= self.maximum)


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_CHECKS: dict[str, Callable[[Any], bool]] = {
    "str": lambda value: isinstance(value, str) and bool(value.strip()),
    "int": _is_int,
    "float": lambda value: isinstance(value, float) or _is_int(value),
    "bool": lambda value: isinstance(value, bool),
}


@dataclass(frozen=True, slots=True)
class DriverType:
    """A kind of device; classes are named, not imported, so that a missing library disables one driver only."""

    key: str
    kind: str
    driver: str
    emulator: str
    settings: tuple[Setting, ...]
    heartbeat_seconds: float
    max_backoff_seconds: float = 10.0
    # What belongs together is checked by the driver's own function: settings to codes, as `code:setting`.
    check: str = ""

    def validate(self, settings: Mapping[str, Any]) -> list[str]:
        """Return a code per wrong setting, as `code:setting`."""
        fields = {field.name: field for field in self.settings}
        errors = [f"unknown_setting:{name}" for name in settings if name not in fields]
        for field in self.settings:
            value = settings.get(field.name)
            if value is None:
                if field.required:
                    errors.append(f"missing_setting:{field.name}")
            elif not field.accepts(value):
                errors.append(f"bad_type:{field.name}")
            elif not field.within(value):
                errors.append(f"out_of_range:{field.name}")
            elif field.choices and value not in field.choices:
                errors.append(f"bad_choice:{field.name}")
        if self.check and not errors:
            found: list[str] = _load(self.check)(settings)
            errors += found
        return errors

    def wants_emulator(self, settings: Mapping[str, Any]) -> bool:
        """Tell whether the settings ask for the stand-in device."""
        return bool(settings.get("emulated")) or settings.get("source") == "emulator"

    def make_driver(self, config: DeviceConfig) -> Driver:
        """Make the driver; imports its module now."""
        made: Driver = _load(self.driver)(config)
        return made

    def make_emulator(self, config: DeviceConfig) -> Emulator | None:
        """Make the stand-in device if the configuration asks for it."""
        if not self.wants_emulator(config.settings):
            return None
        target = _load(self.emulator)
        size = {name: config.settings[name] for name in ("width", "height") if name in config.settings}
        made: Emulator = target(config.name, **size) if size else target(config.name)
        return made


def _load(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


DRIVERS: dict[str, DriverType] = {
    driver.key: driver
    for driver in (
        DriverType(
            key="pcsc",
            kind="reader",
            driver="hardware.drivers.pcsc_reader:PcscReader",
            emulator="hardware.simulators.reader:ReaderEmulator",
            settings=(
                Setting("reader", ("str",), default="*"),
                Setting("script", ("str",)),
                Setting("number_bytes", ("str",)),
                Setting("number_encoding", ("str",), default="ascii", choices=("ascii", "bcd", "hex")),
                Setting("number_strip", ("str",)),
                Setting("uid_too", ("bool",), default=True),
                Setting("emulated", ("bool",), default=False),
            ),
            heartbeat_seconds=2.5,
            check="hardware.drivers.card_script:faults",
        ),
        DriverType(
            key="scanner",
            kind="reader",
            driver="hardware.drivers.scanner:Scanner",
            emulator="hardware.simulators.scanner:ScannerEmulator",
            settings=(
                Setting("port", ("str",), default="/dev/ttyACM0"),
                Setting("baud", ("int",), default=9_600, minimum=1_200, maximum=921_600),
                Setting("ending", ("str",), default="any", choices=("any", "cr", "lf", "none")),
                Setting("gap_ms", ("int",), default=100, minimum=20, maximum=2_000),
                Setting("prefix", ("str",)),
                Setting("suffix", ("str",)),
                Setting("encoding", ("str",), default="utf-8", choices=("utf-8", "gb18030", "ascii")),
                Setting("emulated", ("bool",), default=False),
            ),
            heartbeat_seconds=2.5,
            # Looking for a port is cheap, and a scanner that was plugged in again should be back at once.
            max_backoff_seconds=2.0,
        ),
        DriverType(
            key="id_card",
            kind="reader",
            driver="hardware.drivers.id_card_reader:IdCardReader",
            emulator="hardware.simulators.id_card_reader:IdCardReaderEmulator",
            settings=(
                Setting("port", ("str",), default="/dev/ttyUSB0"),
                Setting("baud", ("int",), default=115_200, minimum=9_600, maximum=115_200),
                Setting("newest_address", ("bool",), default=False),
                Setting("emulated", ("bool",), default=False),
            ),
            # A card is read in two seconds at most, with a sign of life before; a silent reader is given up sooner.
            heartbeat_seconds=3.0,
            max_backoff_seconds=2.0,
        ),
        DriverType(
            key="printer",
            kind="printer",
            driver="hardware.drivers.badge_printer:BadgePrinter",
            emulator="hardware.simulators.badge_printer:BadgePrinterEmulator",
            settings=(
                Setting("address", ("str",), default="/dev/usb/lp0"),
                Setting("paper", ("int",), default=80, minimum=58, maximum=80),
                Setting("cut", ("bool",), default=True),
                Setting("emulated", ("bool",), default=False),
            ),
            heartbeat_seconds=2.5,
            max_backoff_seconds=2.0,
        ),
        DriverType(
            key="camera",
            kind="camera",
            driver="hardware.drivers.camera:CameraDriver",
            emulator="hardware.simulators.camera:CameraEmulator",
            settings=(
                Setting("source", ("int", "str"), required=True, minimum=0),
                Setting("fps", ("float",), default=15, minimum=1, maximum=60),
                Setting("width", ("int",), default=1280, minimum=160, maximum=3840),
                Setting("height", ("int",), default=720, minimum=120, maximum=2160),
                Setting("read_codes", ("bool",), default=True),
                Setting("loop", ("bool",), default=False),
                Setting("frozen_seconds", ("float",), minimum=0, maximum=86_400),
            ),
            heartbeat_seconds=3.0,
            # A camera that was unplugged should be back on the desk soon, and opening a dead address is cheap.
            max_backoff_seconds=2.0,
        ),
    )
}


def dots(settings: Mapping[str, Any]) -> int:
    """How many dots a line of a printer has; paper narrower than 80 mm is printed on as if it were 58 mm wide."""
    return 576 if settings.get("paper", 80) >= 80 else 384


def validate(config: DeviceConfig) -> list[str]:
    """Return the codes of everything wrong with a configuration; empty means good."""
    driver = DRIVERS.get(config.driver)
    if driver is None:
        return ["unknown_driver"]
    errors = [] if config.id and config.lane_id else ["missing_identity"]
    return errors + driver.validate(config.settings)


def describe() -> list[dict[str, Any]]:
    """List drivers and their settings for the form that configures devices."""
    return [
        {"key": driver.key, "kind": driver.kind, "settings": [asdict(field) for field in driver.settings]}
        for driver in DRIVERS.values()
    ]
