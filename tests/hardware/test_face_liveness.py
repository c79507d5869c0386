"""Signs of life at each level; a challenge that is not done is never a suspicion (ID-03)."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.face_liveness import STEP_SECONDS, TRIES, Challenge, DepthPatch, judge_depth
from hardware.face_look import Look
from hardware.face_ports import Ability, Box, FaceFault, FaceOutcome, Liveness, Portrait, Prompt, SeenFace
from hardware.face_quality import Pose
from hardware.face_service import FaceService
from hardware.simulators.depth import Before, DepthEmulator
from tests.hardware.face_pictures import Person, png, scene, washed_out
from tests.hardware.face_rig import Camera

pytestmark = pytest.mark.req("ID-03")

SAME, OTHER = 0.7, 0.4
ANNA = Person(1)
TURNS = {Prompt.TURN_LEFT: (0.12, 0.0), Prompt.TURN_RIGHT: (-0.12, 0.0)}


def portrait(service: FaceService) -> Portrait:
    made = service.portrait(png(scene(ANNA)))
    assert isinstance(made, Portrait)
    return made


# -- through the engine ------------------------------------------------------------------------------------------------


def test_a_print_is_told_by_the_packs_model_and_a_living_face_passes(insight: FaceService) -> None:
    anna = portrait(insight)
    with Camera(lambda n: scene(ANNA, noise=n + 1)) as camera:
        alive = insight.verify(camera.feed, anna, same=SAME, other=OTHER, liveness="passive", seconds=20)
    with Camera(lambda n: washed_out(scene(ANNA, noise=n + 1))) as camera:
        fake = insight.verify(camera.feed, anna, same=SAME, other=OTHER, liveness="passive", seconds=20)
        careless = insight.verify(camera.feed, anna, same=SAME, other=OTHER, liveness="none", seconds=20)
    assert (alive.outcome, alive.liveness) == (FaceOutcome.SAME, Liveness.PASSIVE)
    assert (fake.outcome, fake.liveness) == (FaceOutcome.SPOOFED, Liveness.NONE)
    assert insight.look(washed_out(scene(ANNA)), live=True).portrait is None, (
        "nobody is recognised by a print"
    )
    assert careless.outcome is FaceOutcome.SAME, "the print is good enough for a comparison alone"


@pytest.mark.parametrize(("shows", "outcome"), [
    (Before.HEAD, FaceOutcome.SAME),
    (Before.DEVICE_SAYS_LIVE, FaceOutcome.SAME),
    (Before.FLAT, FaceOutcome.SPOOFED),
    (Before.TILTED, FaceOutcome.SPOOFED),
    (Before.FAR, FaceOutcome.SPOOFED),
    (Before.DEVICE_SAYS_FAKE, FaceOutcome.SPOOFED),
])  # fmt: skip
def test_depth_tells_a_head_from_a_picture(insight: FaceService, shows: Before, outcome: FaceOutcome) -> None:
    anna, depth = portrait(insight), DepthEmulator(shows)
    with Camera(scene(ANNA)) as camera:
        verdict = insight.verify(
            camera.feed, anna, same=SAME, other=OTHER, liveness="depth", seconds=20, depth=depth
        )
    assert verdict.outcome is outcome
    assert verdict.liveness == (Liveness.DEPTH if outcome is FaceOutcome.SAME else Liveness.NONE)


def test_a_device_that_measures_nothing_is_no_suspicion(insight: FaceService) -> None:
    stop = threading.Event()
    anna = portrait(insight)
    for shows in (Before.NOTHING, Before.HOLES):
        stop.clear()
        with Camera(lambda n: stop.set() if n > 60 else scene(ANNA)) as camera:
            verdict = insight.verify(
                camera.feed, anna, same=SAME, other=OTHER, liveness="depth", seconds=20, stop=stop,
                depth=DepthEmulator(shows),
            )  # fmt: skip
        assert (verdict.outcome, verdict.fault) == (FaceOutcome.UNREADABLE, FaceFault.NO_LIVENESS)


class Actor:
    """Does what is asked, unless told to do otherwise."""

    def __init__(self, does: Callable[[Prompt], Prompt] = lambda asked: asked, person: Person = ANNA) -> None:
        self.asked: list[Prompt] = []
        self._person = person
        self._does, self._at, self._phase = does, Prompt.LOOK, 0

    def prompt(self, what: Prompt) -> None:
        self.asked.append(what)
        self._at, self._phase = what, 0

    def show(self, _: int) -> Any:
        self._phase += 1
        does, now = self._does(self._at), (self._phase // 8) % 2
        if does in TURNS:
            return scene(replace(self._person, nose=TURNS[does]))
        if does is Prompt.NOD:
            return scene(replace(self._person, nose=(0, 0.1) if now else (0, 0)))
        if does is Prompt.CLOSE_EYES:
            return scene(replace(self._person, nose=(0, 0), eyes_shut=bool(now)))
        return scene(replace(self._person, nose=(0, 0)))


def test_a_challenge_that_is_done_counts(insight: FaceService) -> None:
    anna, seen = portrait(insight), set[Prompt]()
    for _ in range(4):
        actor = Actor()
        with Camera(actor.show) as camera:
            verdict = insight.verify(
                camera.feed,
                anna,
                same=SAME,
                other=OTHER,
                liveness="challenge",
                seconds=20,
                prompt=actor.prompt,
            )
        assert (verdict.outcome, verdict.liveness) == (FaceOutcome.SAME, Liveness.CHALLENGE)
        assert actor.asked[0] is actor.asked[-1] is Prompt.LOOK
        moves = [what for what in actor.asked if what is not Prompt.LOOK]
        assert len(moves) == 2
        assert len(set(moves)) == 2
        seen.update(moves)
    assert len(seen) > 2, "the order is random"


MIRRORED = {
    Prompt.TURN_LEFT: Prompt.TURN_RIGHT,
    Prompt.TURN_RIGHT: Prompt.TURN_LEFT,
    Prompt.NOD: Prompt.TURN_LEFT,
}


def test_a_film_of_the_wrong_movements_is_unreadable_and_no_suspicion(insight: FaceService) -> None:
    anna = portrait(insight)
    stop = threading.Event()
    actor = Actor(lambda asked: MIRRORED.get(asked, Prompt.TURN_LEFT) if asked is not Prompt.LOOK else asked)
    frames = iter(range(200))
    with Camera(lambda n: actor.show(n) if next(frames, None) is not None else stop.set()) as camera:
        verdict = insight.verify(
            camera.feed, anna, same=SAME, other=OTHER, liveness="challenge", seconds=20, stop=stop,
            prompt=actor.prompt,
        )  # fmt: skip
    assert (verdict.outcome, verdict.fault) == (FaceOutcome.UNREADABLE, FaceFault.NOT_DONE)
    assert verdict.liveness == Liveness.NONE


def test_somebody_else_cannot_lend_a_head(insight: FaceService) -> None:
    anna, actor = portrait(insight), Actor()
    accomplice = Actor(person=Person(2))

    def prompt(what: Prompt) -> None:
        actor.prompt(what)
        accomplice.prompt(what)

    with Camera(lambda n: accomplice.show(n) if actor.asked else actor.show(n)) as camera:
        verdict = insight.verify(
            camera.feed, anna, same=SAME, other=OTHER, liveness="challenge", seconds=20, prompt=prompt
        )
    assert (verdict.outcome, verdict.fault) == (FaceOutcome.UNREADABLE, FaceFault.NOT_DONE)


@pytest.mark.parametrize("level", ["passive", "depth", "challenge"])
def test_a_level_that_cannot_be_reached_is_never_replaced_by_a_lower_one(
    face_models: Any, level: str
) -> None:
    service = FaceService(face_models)
    service.start("second")
    service.wait_started()
    with Camera(scene(ANNA)) as camera:
        verdict = service.verify(
            camera.feed, portrait(service), same=SAME, other=OTHER, liveness=level, seconds=20
        )
    service.stop()
    assert (verdict.outcome, verdict.fault) == (FaceOutcome.UNREADABLE, FaceFault.NO_LIVENESS)


def test_a_mask_leads_to_another_way(insight: FaceService) -> None:
    assert insight.look(scene(replace(ANNA, masked=True))).fault is FaceFault.COVERED


# -- the rules alone ---------------------------------------------------------------------------------------------------

STRAIGHT = Pose(0, 0, 0)
DONE = {
    Prompt.TURN_LEFT: (Look(pose=Pose(25, 0, 0)),),
    Prompt.TURN_RIGHT: (Look(pose=Pose(-25, 0, 0)),),
    Prompt.NOD: (Look(pose=Pose(0, 20, 0)), Look(pose=STRAIGHT)),
    Prompt.CLOSE_EYES: (Look(pose=STRAIGHT, eyes=0.05), Look(pose=STRAIGHT, eyes=0.3)),
}
BOX = Box(0.3, 0.3, 0.3, 0.4)
ALL = frozenset({Ability.EYES})


def at(look: Look, box: Box = BOX) -> Look:
    return replace(look, face=SeenFace(box, (), 0.9))


REST = at(Look(pose=STRAIGHT, eyes=0.3))


@given(st.integers(0, 10**6), st.booleans())
def test_doing_what_is_asked_always_passes(seed: int, eyes: bool) -> None:
    challenge = Challenge(ALL if eyes else frozenset(), random.Random(seed), 0.0)
    for _ in range(2):
        assert challenge.prompt is Prompt.LOOK
        challenge.take(REST, 1.0)
        asked = challenge.prompt
        assert eyes or asked is not Prompt.CLOSE_EYES
        for look in DONE[asked]:
            assert not challenge.done
            challenge.take(at(look), 1.0)
    assert challenge.done


@given(st.integers(0, 10**6), st.lists(st.tuples(st.floats(-12, 12), st.floats(-5, 5)), max_size=60))
def test_holding_still_never_passes(seed: int, poses: list[tuple[float, float]]) -> None:
    challenge = Challenge(frozenset(), random.Random(seed), 0.0)
    challenge.take(REST, 0.0)
    for number, (yaw, pitch) in enumerate(poses):
        challenge.take(at(Look(pose=Pose(yaw, pitch, 0))), number * 0.1)
    assert not challenge.done


def test_time_and_tries_are_limited() -> None:
    challenge = Challenge(frozenset(), random.Random(1), 0.0)
    for attempt in range(1, TRIES + 1):
        assert not challenge.over
        challenge.wait(attempt * (STEP_SECONDS + 1))
    assert challenge.over
    assert not challenge.done
    challenge.take(REST, 100.0)
    assert challenge.over


def test_the_opposite_and_another_place_cost_a_try() -> None:
    class Left(random.Random):
        def sample(self, population: Any, k: int, **_: Any) -> Any:
            return [Prompt.TURN_LEFT, Prompt.NOD][:k]

    for spoils in (at(Look(pose=Pose(-25, 0, 0))), at(Look(pose=STRAIGHT), Box(0.8, 0.8, 0.1, 0.1))):
        challenge = Challenge(frozenset(), Left(), 0.0)
        challenge.take(REST, 0.0)
        assert challenge.prompt is Prompt.TURN_LEFT
        challenge.take(spoils, 0.1)
        assert challenge.prompt is Prompt.LOOK
        assert not challenge.over
        challenge.take(REST, 0.2)
        challenge.take(spoils, 0.3)
        assert challenge.over


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(300, 2000), st.integers(0, 1000))
def test_no_plane_is_a_face_however_it_is_held(
    down: float, across: float, distance: float, seed: int
) -> None:
    rows, columns = np.mgrid[-15:15, -15:15]
    noise = np.random.default_rng(seed).normal(0, 2, rows.shape)
    plane = distance + down * rows + across * columns + noise
    assert judge_depth(DepthPatch(plane.astype(np.float32))) is False


@pytest.mark.parametrize(
    "wrong", [np.zeros((9, 9)), np.full((9, 9), np.nan), np.full((2, 2), 500.0), np.zeros((0, 0))]
)
def test_distances_that_are_none_tell_nothing(wrong: Any) -> None:
    assert judge_depth(DepthPatch(np.asarray(wrong, np.float32))) is None
