import numpy as np
import pytest

from ivdlib.data.quality import polarity
from ivdlib.data.quality.polarity import (
    SignedScan,
    anatomy,
    bond,
    find_body,
    find_noise,
    make_blocks,
    one_tissue,
)

SPACING = (4.0, 2.0, 2.5)


def random_scan(seed=0, shape=(3, 7, 6)):
    """Signal of all sizes, so that each kind of bond occurs."""
    rng = np.random.default_rng(seed)
    inn = rng.choice([20, 100, 105, 180], shape).astype(np.float32)
    opp = inn * rng.choice([0.05, 0.9, 0.95], shape).astype(np.float32)
    return SignedScan(inn, opp, rng.random(shape) < 0.5, rng.random(shape) < 0.8, 2.0, SPACING)


def neighbours(shape):
    """All pairs of voxels that share a face."""
    for place in np.ndindex(shape):
        for axis in range(3):
            after = tuple(p + (k == axis) for k, p in enumerate(place))
            if after[axis] < shape[axis]:
                yield place, after


def strength(scan, a, b):
    """Bond of two voxels, read off the documentation of the constants."""
    x, y, u, v = scan.opp[a], scan.opp[b], scan.inn[a], scan.inn[b]
    alike = min(x, y) > 8 and abs(x - y) < 0.2 * max(x, y) + 4 and abs(u - v) < 0.06 * (u + v) + 4
    differ = scan.water[a] != scan.water[b]
    if max(x, y) <= 12:
        return polarity.FAINT
    if alike:
        return polarity.CONTRARY if differ else polarity.ALIKE
    return polarity.NATURAL if differ else polarity.OTHER


@pytest.mark.parametrize("seed", range(3))
def test_bonds_against_a_loop_over_all_pairs(seed):
    scan = random_scan(seed)
    blocks = make_blocks(scan)
    expected = {}
    for a, b in neighbours(scan.inn.shape):
        ends = tuple(sorted((int(blocks.node[a]), int(blocks.node[b]))))
        if scan.body[a] and scan.body[b] and ends[0] != ends[1]:
            expected[ends] = expected.get(ends, 0) + strength(scan, a, b)
    bonds = bond(scan, blocks)
    found = {}
    for i, j, w in zip(bonds.one, bonds.other, bonds.strength, strict=True):
        found[tuple(sorted((int(i), int(j))))] = w
    assert len(found) == len(bonds.one)  # each pair once
    assert found == pytest.approx({k: w for k, w in expected.items() if abs(w) > 1e-6}, abs=1e-5)


def test_blocks_are_cubes_of_about_five_millimetres_split_by_choice():
    scan = random_scan()
    blocks = make_blocks(scan)
    assert blocks.steps == (1, 2, 2)
    assert blocks.shape == (3, 4, 3)
    for place in np.ndindex(scan.inn.shape):
        i, j, k = (p // step for p, step in zip(place, blocks.steps, strict=True))
        assert blocks.node[place] == 2 * ((i * 4 + j) * 3 + k) + scan.water[place]


@pytest.mark.parametrize("shake", [-1e-6, -4e-8, 4e-8, 1e-6])
def test_blocks_do_not_hang_on_the_rounding_of_an_affine(shake):
    """Five millimetres are two and a half slices of 2 mm."""
    scan = random_scan()
    exact, shaken = (
        make_blocks(scan._replace(spacing=(2.0 * e, 1.25 * e, 1.25 * e))).steps
        for e in (1, 1 + shake)
    )
    assert shaken == exact


@pytest.mark.parametrize(
    ("inn", "opp", "alike", "clear"),
    [
        ((100, 100), (95, 95), True, True),
        ((100, 100), (95, 20), False, True),  # a dark line
        ((100, 180), (95, 95), False, True),  # water and fat
        ((100, 100), (5, 5), False, False),  # half water, half fat
    ],
)
def test_what_counts_as_one_tissue(inn, opp, alike, clear):
    inn, opp = ((np.array([a]), np.array([b])) for a, b in (inn, opp))
    assert [x.item() for x in one_tissue(inn, opp, 1.0)] == [alike, clear]


def test_noise_is_measured_in_the_body_alone():
    rng = np.random.default_rng(0)
    body = np.zeros((10, 60, 60), bool)
    body[:, 10:50, 10:50] = True
    inn = np.where(body, 500 + rng.normal(0, 8, body.shape), 0)
    assert find_noise(inn, body) == pytest.approx(8, rel=0.05)
    assert find_noise(inn, np.zeros_like(body)) == 0


def test_the_body_is_the_largest_piece_above_air():
    rng = np.random.default_rng(0)
    inn = np.abs(rng.normal(0, 5, (8, 40, 40)))
    inn[:, 10:30] += 100
    inn[3:6, 35:38, 5:8] += 100  # a ghost
    body = find_body(np.float32(inn))
    assert body[:, 11:29].all()
    assert not body[:, :8].any() and not body[:, 32:].any()


def test_without_air_all_is_body_and_without_signal_nothing():
    rng = np.random.default_rng(0)
    assert find_body(np.float32(100 + rng.normal(0, 5, (4, 20, 20)))).all()
    assert not find_body(np.zeros((4, 20, 20), np.float32)).any()


def slab(fat_inn=180.0):
    """Air, 8 mm of fat, then muscle; the back is where axis 1 begins."""
    inn = np.zeros((4, 40, 20), np.float32)
    inn[:, 10:14], inn[:, 14:] = fat_inn, 100
    water = np.ones(inn.shape, bool)
    water[:, 10:14] = False
    return SignedScan(inn, 0.95 * inn, water, inn > 0, 1.0, (2.0, 2.0, 2.0))


def test_anatomy_agrees_with_fat_beneath_the_skin_and_with_bright_fat():
    scan = slab()
    pull = anatomy(scan, make_blocks(scan))
    assert pull.sum() > 0.9 * np.abs(pull).sum() > 0
    exchanged = scan._replace(water=~scan.water)
    pull = anatomy(exchanged, make_blocks(exchanged))
    assert -pull.sum() > 0.9 * np.abs(pull).sum() > 0


def test_where_nothing_else_speaks_labelled_discs_do():
    inn = np.full((6, 20, 20), 100, np.float32)
    discs = np.zeros(inn.shape, bool)
    discs[2:4, 5:15, 8:12] = True
    opp = np.where(discs, 0.95, 0.1).astype(np.float32) * inn
    scan = SignedScan(inn, opp, discs, np.ones_like(discs), 2.0, (2.0, 1.25, 1.25))
    without, given = (anatomy(scan, make_blocks(scan), d).sum() for d in (None, discs))
    assert without == pytest.approx(polarity.DEEP * discs.sum())
    assert given == pytest.approx((polarity.DEEP + polarity.DISC) * discs.sum())
    wrong = scan._replace(water=~discs)
    assert anatomy(wrong, make_blocks(wrong), discs).sum() == pytest.approx(-given)
