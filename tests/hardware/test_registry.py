"""The registry: what a form may offer and what a configuration may say."""

from __future__ import annotations

from typing import Any

import pytest

from hardware.ports import DeviceConfig
from hardware.registry import DRIVERS, describe, validate

pytestmark = pytest.mark.req("EV-08")


@pytest.mark.parametrize(
    ("driver", "settings", "errors"),
    [
        ("pcsc", {}, []),
        ("pcsc", {"reader": "ACS*", "emulated": True}, []),
        ("pcsc", {"reader": " "}, ["bad_type:reader"]),
        ("pcsc", {"emulated": "yes"}, ["bad_type:emulated"]),
        ("id_card", {"port": "/dev/ttyUSB0", "baud": 57_600}, []),
        ("id_card", {"port": 3, "baud": 1200}, ["bad_type:port", "out_of_range:baud"]),
        ("printer", {}, []),
        ("printer", {"address": "192.0.2.7:9100", "paper": 58, "cut": False}, []),
        ("printer", {"address": 9100, "paper": 112}, ["bad_type:address", "out_of_range:paper"]),
        ("scanner", {"port": "/dev/ttyS0", "baud": 9600, "ending": "none", "gap_ms": 50}, []),
        ("scanner", {"ending": "tab", "encoding": "big5"}, ["bad_choice:ending", "bad_choice:encoding"]),
        ("scanner", {"gap_ms": 5, "baud": 300}, ["out_of_range:baud", "out_of_range:gap_ms"]),
        ("camera", {"source": "emulator"}, []),
        ("camera", {"source": 0, "fps": 12.5, "read_codes": False}, []),
        ("camera", {}, ["missing_setting:source"]),
        ("camera", {"source": -1}, ["out_of_range:source"]),
        ("camera", {"source": True}, ["bad_type:source"]),
        ("camera", {"source": "a", "fps": 0, "zoom": 2}, ["unknown_setting:zoom", "out_of_range:fps"]),
        ("fax", {"number": 1}, ["unknown_driver"]),
    ],
)
def test_a_configuration_is_judged_by_codes(driver: str, settings: dict[str, Any], errors: list[str]) -> None:
    assert validate(DeviceConfig("dev", "lane", driver, "Device", settings)) == errors


def test_a_device_belongs_to_a_lane() -> None:
    assert validate(DeviceConfig("dev", "", "pcsc", "Device", {})) == ["missing_identity"]


def test_the_form_knows_all_drivers_and_their_fields() -> None:
    described = {driver["key"]: driver for driver in describe()}
    assert set(described) == set(DRIVERS) == {"pcsc", "id_card", "scanner", "printer", "camera"}
    source = described["camera"]["settings"][0]
    assert (source["name"], source["types"], source["required"]) == ("source", ("int", "str"), True)
    assert {field["name"]: field["default"] for field in described["camera"]["settings"][1:]} == {
        "fps": 15,
        "width": 1280,
        "height": 720,
        "read_codes": True,
        "loop": False,
        "frozen_seconds": None,
    }
