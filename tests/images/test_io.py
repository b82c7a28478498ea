"""Pictures in and out, against files and numbers made without `tfstyle.images`."""

from __future__ import annotations

import colorsys
import errno
import io
import os
import re
import stat
import struct
import subprocess
import sys
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings, strategies as st
from PIL import Image, ImageCms, JpegImagePlugin

from tfstyle.core.errors import InputError
from tfstyle.images import Picture, check_writable, decoding, load, picture as pictures, save
from tfstyle.images.picture import fitted_shape

LEVEL = 1 / 255
UPRIGHT = np.array([[1, 2, 3], [4, 5, 6]])
STORED = {  # by hand, from where EXIF says the stored rows and columns start
    1: [[1, 2, 3], [4, 5, 6]],  # rows from the top, columns from the left
    2: [[3, 2, 1], [6, 5, 4]],  # top, right
    3: [[6, 5, 4], [3, 2, 1]],  # bottom, right
    4: [[4, 5, 6], [1, 2, 3]],  # bottom, left
    5: [[1, 4], [2, 5], [3, 6]],  # rows from the left, columns from the top
    6: [[3, 6], [2, 5], [1, 4]],  # right, top
    7: [[6, 3], [5, 2], [4, 1]],  # right, bottom
    8: [[4, 1], [5, 2], [6, 3]],  # left, bottom
}


def noise(*shape: int, dtype: type = np.uint8, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def tiff(array: np.ndarray, **options: object) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, array, **options)
    return file.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(levels: np.ndarray, colour_type: int, *before: bytes, after: bytes = b"", bits: int = 16) -> bytes:
    """A PNG with the given levels (height, width, channels), unfiltered."""
    height, width = levels.shape[:2]
    rows = b"".join(b"\0" + row.astype(f">u{bits // 8}").tobytes() for row in levels)
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    body = (chunk(b"IHDR", header), *before, chunk(b"IDAT", zlib.compress(rows)), after, chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def png_levels(data: bytes) -> np.ndarray:
    """What a PNG of 16 bits holds: chunks, zlib and filters undone by the standard's text."""
    at, parts = 8, {}
    while at < len(data):
        length = int.from_bytes(data[at : at + 4])
        kind = data[at + 4 : at + 8]
        parts[kind] = parts.get(kind, b"") + data[at + 8 : at + 8 + length]
        at += 12 + length
    width, height, bits, colour_type = struct.unpack(">IIBB", parts[b"IHDR"][:10])
    assert bits == 16
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[colour_type]
    step, stride = 2 * channels, 2 * channels * width
    raw, rows = zlib.decompress(parts[b"IDAT"]), [bytes(stride)]
    for y in range(height):
        line = raw[y * (stride + 1) : (y + 1) * (stride + 1)]
        above, row = rows[-1], bytearray(stride)
        for x in range(stride):
            a, b, c = (row[x - step], above[x], above[x - step]) if x >= step else (0, above[x], 0)
            paeth = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
            row[x] = (line[x + 1] + (0, a, b, (a + b) // 2, paeth)[line[0]]) % 256
        rows.append(bytes(row))
    return np.frombuffer(b"".join(rows[1:]), ">u2").reshape(height, width, channels)


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exchanged_profile() -> bytes:
    """The sRGB profile with the primaries of red and blue exchanged."""
    tags = {SRGB[at : at + 4]: at for at in range(132, 132 + 12 * int.from_bytes(SRGB[128:132]), 12)}
    data = bytearray(SRGB)
    red, blue = tags[b"rXYZ"], tags[b"bXYZ"]
    data[red + 4 : red + 12], data[blue + 4 : blue + 12] = (
        SRGB[blue + 4 : blue + 12],
        SRGB[red + 4 : red + 12],
    )
    return bytes(data)


def profile(space: bytes, connection: bytes, kind: bytes, tags: dict[bytes, bytes]) -> bytes:
    """A minimal ICC profile."""
    table, body, at = b"", b"", 132 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">II", at + len(body), len(data))
        body += data
    white = struct.pack(">iii", 63190, 65536, 54061)  # D50, in 16.16 fixed point
    header = bytes(8) + struct.pack(">I", 0x02100000) + kind + space + connection + bytes(12)
    header = (header + b"acsp" + bytes(28) + white).ljust(128, b"\0")
    data = header + struct.pack(">I", len(tags)) + table + body
    return struct.pack(">I", len(data)) + data[4:]


def linear_grey_profile() -> bytes:
    white = b"XYZ \0\0\0\0" + struct.pack(">iii", 63190, 65536, 54061)
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, 256) + b"\0\0"  # gamma 1.0
    return profile(b"GRAY", b"XYZ ", b"mntr", {b"wtpt": white, b"kTRC": curve})


def red_ink_profile() -> bytes:
    """A CMYK profile by which cyan ink is red, the other inks do nothing and black is black."""
    identity = bytes(range(256))
    lab = {"white": (255, 128, 128), "red": (138, 208, 195), "black": (0, 128, 128)}
    grid = [
        lab["black"] if k else lab["red"] if c else lab["white"]
        for c in (0, 1)
        for _m in (0, 1)
        for _y in (0, 1)
        for k in (0, 1)
    ]
    matrix = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + matrix + identity * 4 + np.uint8(grid).tobytes() + identity * 3
    return profile(b"CMYK", b"Lab ", b"prtr", {b"A2B0": table})


def message(call: object, *arguments: object, **options: object) -> str:
    """The one line of the `InputError` which a call raises."""
    with pytest.raises(InputError) as caught:
        call(*arguments, **options)
    text = str(caught.value)
    assert text.isprintable()
    return text


# Reading files


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.png", {}),
        ("a.tif", {}),
        ("a.tiff", {"compression": "tiff_lzw"}),
        ("a.webp", {"lossless": True}),
        ("a.bmp", {}),
        ("misnamed.jpg", {"format": "PNG"}),
    ],
)
def test_a_lossless_file_is_its_levels_over_255(tmp_path, name, options):
    levels = noise(5, 7, 3)
    Image.fromarray(levels).save(tmp_path / name, **options)
    picture = load(tmp_path / name)
    np.testing.assert_array_equal(picture.rgb, levels / np.float32(255))
    assert picture.rgb.dtype == np.float32
    assert picture.rgb.flags.c_contiguous
    assert picture.alpha is None
    assert picture.name == str(tmp_path / name)


def test_a_jpeg_is_read_as_pillow_decodes_it(tmp_path):
    Image.fromarray(noise(16, 24, 3)).save(tmp_path / "a.jpg", quality=60)
    with Image.open(tmp_path / "a.jpg") as image:
        expected = np.asarray(image) / np.float32(255)
    np.testing.assert_array_equal(load(str(tmp_path / "a.jpg")).rgb, expected)


def test_the_first_frame_counts(tmp_path):
    red, blue = Image.new("RGB", (4, 3), "red"), Image.new("RGB", (4, 3), "blue")
    for name in ("a.gif", "a.tif", "a.png", "a.webp"):
        red.save(
            tmp_path / name,
            save_all=True,
            append_images=[blue],
            **({"lossless": True} if "w" in name else {}),
        )
        np.testing.assert_array_equal(load(tmp_path / name).rgb, np.broadcast_to([1, 0, 0], (3, 4, 3)))


def test_grey_levels_in_every_mode_which_has_them():
    eight, sixteen = noise(3, 4), noise(3, 4, dtype=np.uint16)
    for image, expected in [
        (Image.fromarray(eight), eight / 255),
        (Image.fromarray(eight > 99), eight > 99),
        (Image.fromarray(sixteen), sixteen / 65535),
        (Image.fromarray(sixteen.astype(">u2")), sixteen / 65535),
        (Image.fromarray(sixteen.astype(np.int32)), sixteen / 65535),
        (Image.fromarray((sixteen / 65535).astype(np.float32)), sixteen / 65535),
    ]:
        picture = load(image)
        expected = np.repeat(expected[..., None], 3, axis=2).astype(np.float32)
        np.testing.assert_allclose(picture.rgb, expected, atol=1e-7, rtol=0, err_msg=image.mode)
        assert picture.name == "the PIL image"


def test_a_16_bit_pgm(tmp_path):
    levels = noise(2, 3, dtype=np.uint16)
    (tmp_path / "a.pgm").write_bytes(b"P5 3 2 65535\n" + levels.astype(">u2").tobytes())
    np.testing.assert_allclose(load(tmp_path / "a.pgm").rgb[..., 0], levels / 65535, atol=1e-7)


def test_other_colour_spaces():
    pixel = {
        "YCbCr": (
            (110, 90, 150),
            [v * LEVEL for v in (110 + 1.402 * 22, 110 + 0.344136 * 38 - 0.714136 * 22, 110 - 1.772 * 38)],
        ),
        "HSV": ((40, 200, 150), colorsys.hsv_to_rgb(40 / 255, 200 / 255, 150 / 255)),
        "CMYK": ((51, 102, 153, 51), [0.8 * 0.8, 0.6 * 0.8, 0.4 * 0.8]),
        "LAB": ((round(2.55 * 53.585), 128, 128), [0.5, 0.5, 0.5]),
    }
    for mode, (stored, expected) in pixel.items():
        rgb = load(Image.new(mode, (2, 2), stored)).rgb
        np.testing.assert_allclose(rgb, np.broadcast_to(expected, (2, 2, 3)), atol=LEVEL, rtol=0, err_msg=mode)


def test_a_cmyk_jpeg_of_adobe_kind_is_not_inverted(tmp_path):
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=100)
    assert b"Adobe" in (tmp_path / "a.jpg").read_bytes()
    np.testing.assert_allclose(load(tmp_path / "a.jpg").rgb, np.broadcast_to([1, 0, 0], (16, 16, 3)), atol=2 * LEVEL)


def test_a_palette_and_the_kinds_of_transparency_it_can_have(tmp_path):
    image = Image.new("P", (3, 1))
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    image.putdata([0, 1, 2])
    image.save(tmp_path / "plain.png")
    image.save(tmp_path / "index.png", transparency=1)
    image.save(tmp_path / "bytes.png", transparency=bytes([51, 0, 255]))
    primaries = np.eye(3)[None]
    seen = np.array([[[1, 0, 0], [1, 1, 1], [0, 0, 1]]])  # what can't be seen is white
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plain, index, several = (load(tmp_path / f"{name}.png") for name in ("plain", "index", "bytes"))
    np.testing.assert_array_equal(plain.rgb, primaries)
    assert plain.alpha is None
    np.testing.assert_array_equal(index.rgb, seen)
    np.testing.assert_array_equal(index.alpha, [[1, 0, 1]])
    np.testing.assert_array_equal(several.rgb, seen)
    np.testing.assert_allclose(several.alpha, [[0.2, 0, 1]], atol=1e-7)


def test_a_transparent_colour_in_files_without_alpha_channel(tmp_path):
    Image.fromarray(np.uint8([[0, 99, 255]])).save(tmp_path / "grey.png", transparency=99)
    colours = np.uint8([[[1, 2, 3], [9, 9, 9], [3, 2, 1]]])
    Image.fromarray(colours).save(tmp_path / "rgb.png", transparency=(1, 2, 3))
    np.testing.assert_array_equal(load(tmp_path / "grey.png").alpha, [[1, 0, 1]])
    picture = load(tmp_path / "rgb.png")
    np.testing.assert_array_equal(picture.alpha, [[0, 1, 1]])
    np.testing.assert_array_equal(picture.rgb[0, 0], [1, 1, 1])


@pytest.mark.parametrize("mode", ["LA", "RGBA", "PA"])
def test_alpha_is_straight_and_the_invisible_white(mode):
    rgba = noise(4, 5, 4)
    rgba[0, :, 3], rgba[1:, :, 3] = 0, np.clip(rgba[1:, :, 3], 1, 254)
    image = Image.fromarray(rgba).convert(mode)
    expected = np.asarray(image.convert("RGBA")) / np.float32(255)
    picture = load(image)
    np.testing.assert_array_equal(picture.alpha, expected[..., 3])
    np.testing.assert_array_equal(picture.rgb[0], 1)
    np.testing.assert_array_equal(picture.rgb[1:], expected[1:, :, :3])


def test_an_opaque_alpha_channel_is_no_alpha(tmp_path):
    Image.new("RGBA", (3, 2), (10, 20, 30, 255)).save(tmp_path / "a.png")
    assert load(tmp_path / "a.png").alpha is None
    assert load(np.ones((2, 3, 4))).alpha is None


# Orientation


def oriented_sources(code: int) -> dict[str, object]:
    """The picture of `STORED`, with that orientation, in each form which can say so."""
    grey = np.uint8(np.array(STORED[code]) * 40)
    rgb = np.repeat(grey[..., None], 3, axis=2)
    exif = Image.Exif()
    exif[274] = code
    image = Image.fromarray(rgb)
    held = Image.open(io.BytesIO(encoded(image, "PNG", exif=exif)))
    deep = rgb.astype(np.uint16) * 257
    return {
        "PNG": encoded(image, "PNG", exif=exif),
        "WebP": encoded(image, "WEBP", lossless=True, exif=exif),
        "TIFF": encoded(image, "TIFF", exif=exif),
        "16-bit PNG": png(deep, 2, after=chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0"))),
        "16-bit TIFF": tiff(deep, photometric="rgb", extratags=[(274, 3, 1, code, True)]),
        "PIL image": held,
    }


@pytest.mark.parametrize("code", STORED)
def test_every_exif_orientation_is_turned_upright(tmp_path, code):
    for kind, source in oriented_sources(code).items():
        if isinstance(source, bytes):
            (tmp_path / "a").write_bytes(source)
            source = tmp_path / "a"
        found = np.rint(load(source).rgb[..., 0] * 255 / 40)
        np.testing.assert_array_equal(found, UPRIGHT, err_msg=kind)


@pytest.mark.parametrize("code", STORED)
def test_the_orientation_of_a_jpeg_and_of_alpha(tmp_path, code):
    grey = np.uint8(np.kron(STORED[code], np.ones((8, 8))) * 40)
    exif = Image.Exif()
    exif[274] = code
    Image.fromarray(grey).save(tmp_path / "a.jpg", exif=exif)  # blocks of 8×8 survive JPEG
    np.testing.assert_allclose(load(tmp_path / "a.jpg").rgb[4::8, 4::8, 0] * 255 / 40, UPRIGHT, atol=0.05)
    alpha = np.dstack([np.full_like(grey, 9)] * 3 + [grey])
    Image.fromarray(alpha).save(tmp_path / "a.png", exif=exif)
    picture = load(tmp_path / "a.png")
    np.testing.assert_array_equal(np.rint(picture.alpha[::8, ::8] * 255 / 40), UPRIGHT)
    assert picture.alpha.flags.c_contiguous
    assert picture.rgb.flags.c_contiguous


@pytest.mark.parametrize("exif", [b"Exif\0\0garbage!", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0"])
def test_broken_exif_data_is_ignored(tmp_path, exif):
    Image.fromarray(noise(3, 2, 3)).save(tmp_path / "a.png", exif=exif)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(load(tmp_path / "a.png").rgb, noise(3, 2, 3) / np.float32(255))


def test_an_orientation_which_does_not_exist_is_ignored(tmp_path):
    exif = Image.Exif()
    exif[274] = 9
    Image.fromarray(noise(3, 2, 3)).save(tmp_path / "a.png", exif=exif)
    assert load(tmp_path / "a.png").rgb.shape == (3, 2, 3)


# Profiles


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.webp"])
def test_an_rgb_profile_is_converted_to_srgb(tmp_path, name):
    levels = noise(6, 5, 3)
    options = {"lossless": True} if name.endswith("webp") else {}
    Image.fromarray(levels).save(tmp_path / name, icc_profile=exchanged_profile(), **options)
    np.testing.assert_allclose(load(tmp_path / name).rgb, levels[..., ::-1] / 255, atol=LEVEL, rtol=0)


def test_a_profile_works_through_palettes_and_beside_alpha(tmp_path):
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putdata([0, 1])
    image.save(tmp_path / "a.png", icc_profile=exchanged_profile(), transparency=bytes([255, 102]))
    picture = load(tmp_path / "a.png")
    np.testing.assert_allclose(picture.rgb, [[[0, 0, 1], [1, 0, 0]]], atol=LEVEL)
    np.testing.assert_allclose(picture.alpha, [[1, 0.4]], atol=1e-7)


def test_a_grey_profile_is_converted_to_srgb(tmp_path):
    levels = np.arange(256, dtype=np.uint8)[None]
    linear = levels[..., None] / 255
    expected = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    Image.fromarray(levels).save(tmp_path / "a.png", icc_profile=linear_grey_profile())
    rgb = load(tmp_path / "a.png").rgb
    np.testing.assert_allclose(rgb, np.repeat(expected, 3, axis=2), atol=LEVEL, rtol=0)


def test_a_cmyk_profile_is_converted_to_srgb(tmp_path):
    image = Image.new("CMYK", (3, 1))
    image.putdata([(0, 0, 0, 0), (255, 0, 0, 0), (0, 0, 0, 255)])
    image.save(tmp_path / "a.tif", icc_profile=red_ink_profile())
    white, red, black = load(tmp_path / "a.tif").rgb[0]
    np.testing.assert_allclose(white, 1, atol=LEVEL)
    np.testing.assert_allclose(black, 0, atol=LEVEL)
    assert red[0] > 0.95
    assert max(red[1:]) < 0.15
    image.save(tmp_path / "plain.tif")
    np.testing.assert_allclose(load(tmp_path / "plain.tif").rgb[0, 1], [0, 1, 1], atol=LEVEL)


@pytest.mark.parametrize("icc", [b"garbage", SRGB[:300], linear_grey_profile(), red_ink_profile()])
def test_a_profile_which_is_broken_or_about_other_channels_is_ignored(tmp_path, icc):
    levels = noise(4, 4, 3)
    Image.fromarray(levels).save(tmp_path / "a.png", icc_profile=icc)
    np.testing.assert_array_equal(load(tmp_path / "a.png").rgb, levels / np.float32(255))


def test_an_rgb_profile_on_cmyk_is_ignored(tmp_path):
    Image.new("CMYK", (2, 2), (255, 255, 0, 0)).save(tmp_path / "a.tif", icc_profile=exchanged_profile())
    np.testing.assert_allclose(load(tmp_path / "a.tif").rgb, np.broadcast_to([0, 0, 1], (2, 2, 3)), atol=LEVEL)


def test_the_srgb_profile_changes_nothing(tmp_path):
    levels = noise(9, 9, 3)
    Image.fromarray(levels).save(tmp_path / "a.png", icc_profile=SRGB)
    np.testing.assert_array_equal(load(tmp_path / "a.png").rgb, levels / np.float32(255))


# 16 bits and floats


@pytest.mark.parametrize(("colour_type", "channels"), [(0, 1), (4, 2), (2, 3), (6, 4)])
def test_a_16_bit_png_keeps_its_precision(tmp_path, colour_type, channels):
    levels = noise(5, 4, channels, dtype=np.uint16)
    levels[0, 0] = 65535
    (tmp_path / "a.png").write_bytes(png(levels, colour_type))
    picture = load(tmp_path / "a.png")
    colours = levels[..., :1] if channels < 3 else levels[..., :3]
    np.testing.assert_allclose(picture.rgb, np.broadcast_to(colours / 65535, (5, 4, 3)), atol=1e-7)
    if channels % 2:
        assert picture.alpha is None
    else:
        np.testing.assert_allclose(picture.alpha, levels[..., -1] / 65535, atol=1e-7)


def test_a_transparent_colour_in_a_16_bit_png(tmp_path):
    levels = np.uint16([[[5, 6, 7], [5, 6, 8]]])
    (tmp_path / "a.png").write_bytes(png(levels, 2, chunk(b"tRNS", struct.pack(">HHH", 5, 6, 7))))
    np.testing.assert_array_equal(load(tmp_path / "a.png").alpha, [[0, 1]])


def test_16_bits_beside_the_srgb_profile_are_kept_and_beside_others_become_8(tmp_path):
    levels = noise(5, 4, 3, dtype=np.uint16)

    def iccp(icc: bytes) -> bytes:
        return chunk(b"iCCP", b"name\0\0" + zlib.compress(icc))

    (tmp_path / "srgb.png").write_bytes(png(levels, 2, iccp(SRGB)))
    np.testing.assert_allclose(load(tmp_path / "srgb.png").rgb, levels / 65535, atol=1e-7)
    (tmp_path / "other.png").write_bytes(png(levels, 2, iccp(exchanged_profile())))
    other = load(tmp_path / "other.png").rgb
    np.testing.assert_allclose(other, levels[..., ::-1] / 65535, atol=1.5 * LEVEL)
    np.testing.assert_allclose(other * 255, np.rint(other * 255), atol=1e-4)
    tag = (34675, 7, len(exchanged_profile()), exchanged_profile(), True)
    (tmp_path / "other.tif").write_bytes(tiff(levels, photometric="rgb", extratags=[tag]))
    np.testing.assert_array_equal(load(tmp_path / "other.tif").rgb, other)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "zlib", "predictor": True},
        {"bigtiff": True},
        {"byteorder": ">"},
        {"tile": (16, 16)},
    ],
    ids=str,
)
def test_a_16_bit_tiff_keeps_its_precision(tmp_path, options):
    levels = noise(5, 4, 3, dtype=np.uint16)
    (tmp_path / "a.tif").write_bytes(tiff(levels, photometric="rgb", **options))
    np.testing.assert_allclose(load(tmp_path / "a.tif").rgb, levels / 65535, atol=1e-7)


def test_the_other_layouts_of_a_16_bit_tiff(tmp_path):
    levels = noise(5, 4, 4, dtype=np.uint16)
    file = tmp_path / "a.tif"

    file.write_bytes(tiff(np.moveaxis(levels[..., :3], -1, 0), photometric="rgb", planarconfig="separate"))
    np.testing.assert_allclose(load(file).rgb, levels[..., :3] / 65535, atol=1e-7)

    for photometric, expected in (("minisblack", levels / 65535), ("miniswhite", 1 - levels / 65535)):
        file.write_bytes(tiff(levels[..., 0], photometric=photometric))
        np.testing.assert_allclose(load(file).rgb, np.repeat(expected[..., :1], 3, axis=2), atol=1e-7)

    file.write_bytes(tiff(levels, photometric="rgb", extrasamples=["unassalpha"]))
    np.testing.assert_allclose(load(file).rgb, levels[..., :3] / 65535, atol=1e-7)
    np.testing.assert_allclose(load(file).alpha, levels[..., 3] / 65535, atol=1e-7)

    file.write_bytes(tiff(levels, photometric="rgb", extrasamples=["unspecified"]))
    np.testing.assert_allclose(load(file).rgb, levels[..., :3] / 65535, atol=1e-7)
    assert load(file).alpha is None

    extra = {"planarconfig": "contig", "extrasamples": ["unassalpha", 0, 0, 0, 0]}
    file.write_bytes(tiff(np.dstack([levels, levels]), photometric="rgb", **extra))
    np.testing.assert_allclose(load(file).rgb, levels[..., :3] / 65535, atol=1e-7)
    np.testing.assert_allclose(load(file).alpha, levels[..., 3] / 65535, atol=1e-7)

    grey_alpha = levels[..., :2]
    file.write_bytes(tiff(grey_alpha, photometric="minisblack", planarconfig="contig", extrasamples=["unassalpha"]))
    np.testing.assert_allclose(load(file).rgb, np.repeat(grey_alpha[..., :1], 3, axis=2) / 65535, atol=1e-7)
    np.testing.assert_allclose(load(file).alpha, grey_alpha[..., 1] / 65535, atol=1e-7)


def test_a_tiff_with_premultiplied_alpha(tmp_path):
    straight, alpha = noise(5, 4, 3, dtype=np.uint16) / 65535, np.linspace(0, 1, 20).reshape(5, 4, 1)
    product = np.rint(np.dstack([straight * alpha, alpha]) * 65535).astype(np.uint16)
    (tmp_path / "a.tif").write_bytes(tiff(product, photometric="rgb", extrasamples=["assocalpha"]))
    picture = load(tmp_path / "a.tif")
    error = np.abs(picture.rgb - np.where(alpha == 0, 1, straight)) * alpha
    assert error.max() <= 1 / 65535  # half a level from the product and half from alpha
    np.testing.assert_array_equal(picture.rgb[0, 0], 1)
    np.testing.assert_allclose(picture.alpha, alpha[..., 0], atol=1 / 131070 + 1e-7)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_float_tiff(tmp_path, dtype):
    values = np.random.default_rng(0).random((5, 4, 3)).astype(dtype)
    (tmp_path / "a.tif").write_bytes(tiff(values, photometric="rgb"))
    np.testing.assert_array_equal(load(tmp_path / "a.tif").rgb, values.astype(np.float32))
    (tmp_path / "b.tif").write_bytes(tiff(values * 255, photometric="rgb"))
    assert "but they must be in [0, 1]; divide by 255" in message(load, tmp_path / "b.tif")


def lzw_tiff(array: np.ndarray) -> bytes:
    """A TIFF compressed with LZW, of codes for single bytes only: an uncompressed one, changed."""
    raw = array.tobytes()
    codes = [code for at in range(0, len(raw), 250) for code in (256, *raw[at : at + 250])]
    bits = "".join(f"{code:09b}" for code in [*codes, 257])
    length = -(-len(bits) // 8)
    data = tiff(array, photometric="rgb").removesuffix(raw)
    for tag, kind, old, new in ((259, 3, 1, 5), (279, 4, len(raw), length)):  # compression, and bytes in strip
        assert data.count(struct.pack("<HHII", tag, kind, 1, old)) == 1
        data = data.replace(struct.pack("<HHII", tag, kind, 1, old), struct.pack("<HHII", tag, kind, 1, new))
    return data + int(bits.ljust(8 * length, "0"), 2).to_bytes(length)


def test_tiffs_compressed_with_lzw(tmp_path):
    levels = noise(20, 30, 3, dtype=np.uint16)
    Image.fromarray(levels[..., 0]).save(tmp_path / "grey.tif", compression="tiff_lzw")
    np.testing.assert_allclose(load(tmp_path / "grey.tif").rgb[..., 0], levels[..., 0] / 65535, atol=1e-7)
    (tmp_path / "rgb.tif").write_bytes(lzw_tiff(levels))
    np.testing.assert_allclose(load(tmp_path / "rgb.tif").rgb, levels / 65535, atol=LEVEL, rtol=0)


# Arrays


@pytest.mark.parametrize(
    ("shape", "dtype", "top"),
    [
        ((3, 4), np.uint8, 255),
        ((3, 4, 1), np.uint16, 65535),
        ((3, 4, 3), np.uint8, 255),
        ((3, 4, 3), np.uint16, 65535),
    ],
)
def test_integers_are_scaled_by_their_type(shape, dtype, top):
    levels = noise(*shape, dtype=dtype)
    expected = np.broadcast_to(levels.reshape(3, 4, -1) / top, (3, 4, 3))
    np.testing.assert_allclose(load(levels).rgb, expected, atol=1e-7)
    np.testing.assert_array_equal(load(levels.astype(levels.dtype.newbyteorder(">"))).rgb, load(levels).rgb)
    assert load(levels).name == "the array"


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, bool])
def test_floats_and_truths_are_taken_as_they_are(dtype):
    values = (noise(3, 4, 3) / 255).astype(dtype)
    np.testing.assert_array_equal(load(values).rgb, values.astype(np.float32))


@pytest.mark.parametrize("channels", [2, 4])
def test_the_last_of_two_or_four_channels_is_alpha(channels):
    values = np.random.default_rng(0).uniform(0.1, 0.9, (3, 4, channels)).astype(np.float32)
    picture = load(values)
    np.testing.assert_array_equal(picture.alpha, values[..., -1])
    np.testing.assert_array_equal(picture.rgb, np.broadcast_to(values[..., : channels - 1], (3, 4, 3)))


def test_tensors_are_arrays():
    import tensorflow as tf

    tensor = tf.constant(noise(3, 4, 3) / 255, tf.bfloat16)
    np.testing.assert_array_equal(load(tensor).rgb, tf.cast(tensor, tf.float32).numpy())


def test_the_callers_array_is_neither_shared_nor_changed():
    values = np.random.default_rng(0).random((3, 4, 4)).astype(np.float32)
    values[0, :, 3] = 0
    before = values.copy()
    for view in (values, values[..., :3], values[::-1, ::2], values[..., 0]):
        picture = load(view)
        assert not np.shares_memory(picture.rgb, values)
        assert picture.alpha is None or not np.shares_memory(picture.alpha, values)
        picture.rgb[:] = 0.5
    np.testing.assert_array_equal(values, before)
    image = Image.fromarray(noise(3, 4, 3))
    load(image).rgb[:] = 0
    np.testing.assert_array_equal(np.asarray(image), noise(3, 4, 3))


def test_a_picture_is_taken_as_it_is():
    picture = Picture(np.full((4, 6, 3), 0.5, np.float32), None, "a sample")
    assert load(picture).rgb is picture.rgb
    assert load(picture).name == "a sample"
    assert load(picture, 3, name="the style").name == "the style"
    assert load(picture, 3).rgb.shape == (2, 3, 3)


def test_a_small_overshoot_is_clipped():
    picture = load(np.array([[-0.0009, 0.5, 1.0009]]))
    np.testing.assert_array_equal(picture.rgb[..., 0], np.float32([[0, 0.5, 1]]))


RANGE = "floats from {}, but they must be in [0, 1]; divide by 255 if that is their white"
FINITE = "NaN or infinite values; replace them by numbers in [0, 1]"
DTYPE = "the dtype {}; convert it to uint8, uint16 or floats in [0, 1]"
SHAPE = "the shape {}; give it (height, width) or (height, width, 1 to 4 channels), none of them zero"


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.array([[-0.5, 255.0]]), RANGE.format("-0.5 to 255")),
        (np.full((2, 2), 1.01), RANGE.format("1.01 to 1.01")),
        (np.array([[0, np.nan]]), FINITE),
        (np.array([[np.inf, -np.inf]]), FINITE),
        (np.array([[0, 1e300]]), FINITE),
        (np.zeros((2, 2), int), DTYPE.format("int64")),
        (np.zeros((2, 2), complex), DTYPE.format("complex128")),
        (None, DTYPE.format("object")),
        (np.zeros(()), SHAPE.format("()")),
        (np.zeros(3), SHAPE.format("(3,)")),
        (np.zeros((1, 2, 2, 3)), SHAPE.format("(1, 2, 2, 3)")),
        (np.zeros((2, 2, 5)), SHAPE.format("(2, 2, 5)")),
        (np.zeros((3, 224, 224)), SHAPE.format("(3, 224, 224)")),
        (np.zeros((0, 4, 3)), SHAPE.format("(0, 4, 3)")),
        (np.zeros((4, 0)), SHAPE.format("(4, 0)")),
        (np.zeros((2, 2, 0)), SHAPE.format("(2, 2, 0)")),
    ],
)
def test_an_array_which_is_no_picture_is_refused(array, expected):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert message(load, array) == f"the array has {expected}"


def test_what_can_not_become_an_array_is_refused():
    class OnAnotherDevice:
        def __array__(self, dtype=None, copy=None):
            raise TypeError("can't convert a device\ntensor")

    expected = "the array can't be made a NumPy array (can't convert a device tensor); convert it"
    assert message(load, OnAnotherDevice()) == expected


def test_messages_call_it_as_told():
    assert message(load, np.zeros(3), name="the style").startswith("the style has the shape (3,)")
    assert load(Image.new("L", (1, 1)), name="the style").name == "the style"
    assert message(load, "no.png", name="the style").startswith("the style does not exist")


def test_integers_beyond_16_bits_in_a_pil_image_are_refused():
    assert "has the dtype int32" in message(load, Image.new("I", (2, 2), 70000))


# Sizes


def lanczos(values: np.ndarray, size: int) -> np.ndarray:
    """Rows of `values` brought to another number by Lanczos-3, antialiased, each weight spelled out."""
    scale = len(values) / size
    support = max(scale, 1)
    weights = np.zeros((size, len(values)))
    for i in range(size):
        centre = (i + 0.5) * scale
        first, last = (
            int(max(0, centre - 3 * support + 0.5)),
            int(min(len(values), centre + 3 * support + 0.5)),
        )
        x = (np.arange(first, last) + 0.5 - centre) / support
        kernel = np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)
        weights[i, first:last] = kernel / kernel.sum()
    return np.tensordot(weights, values, axes=1)


@pytest.mark.parametrize(("height", "width"), [(5, 6), (40, 50), (5, 50), (1, 1), (17, 24)])
def test_resizing_is_lanczos_in_floats(height, width):
    picture = load(np.random.default_rng(0).random((17, 23, 3)))
    expected = lanczos(picture.rgb.astype(np.float64), height)
    expected = np.moveaxis(lanczos(np.moveaxis(expected, 1, 0), width), 0, 1)
    found = picture.resized((height, width))
    np.testing.assert_allclose(found.rgb, np.clip(expected, 0, 1), atol=1e-6)
    assert found.rgb.dtype == np.float32
    assert found.name == picture.name


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(1, 5000))
def test_the_longer_side_becomes_the_size_and_the_aspect_stays(height, width, size):
    shape = fitted_shape(height, width, size)
    assert max(shape) == size
    assert fitted_shape(width, height, size) == shape[::-1]
    exact = min(height, width) * size / max(height, width)
    assert min(shape) == 1 or abs(min(shape) - exact) <= 0.5
    assert min(shape) > 1 or exact <= 1.5


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 1, width=32), st.integers(1, 40), st.integers(1, 40), st.integers(1, 60))
def test_a_constant_picture_stays_constant(value, height, width, size):
    picture = load(np.full((height, width, 3), value)).resized(size)
    assert picture.rgb.shape == (*fitted_shape(height, width, size), 3)
    np.testing.assert_allclose(picture.rgb, value, atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(1, 30))
def test_resizing_stays_in_range(seed, height, width):
    sharp = np.random.default_rng(seed).integers(0, 2, (9, 11, 4)).astype(bool)
    picture = load(sharp).resized((height, width))
    for values in (picture.rgb, picture.alpha):
        assert values is None or (values.min() >= 0 and values.max() <= 1)
    if picture.alpha is not None:
        assert (picture.rgb[picture.alpha == 0] == 1).all()


def test_the_same_size_is_the_same_data():
    picture = load(noise(6, 8, 4))
    for size in (8, (6, 8), np.int64(8)):
        np.testing.assert_array_equal(picture.resized(size).rgb, picture.rgb)
        np.testing.assert_array_equal(picture.resized(size).alpha, picture.alpha)


def test_load_resizes(tmp_path):
    Image.fromarray(noise(20, 30, 3)).save(tmp_path / "a.png")
    assert load(tmp_path / "a.png", 15).rgb.shape == (10, 15, 3)
    assert load(tmp_path / "a.png", (4, 9)).rgb.shape == (4, 9, 3)
    np.testing.assert_array_equal(load(tmp_path / "a.png", 60).rgb, load(tmp_path / "a.png").resized(60).rgb)


@pytest.mark.parametrize("size", [4, 5, 13, 64])
def test_resizing_takes_no_colour_from_the_transparent(size):
    values = np.zeros((16, 16, 4))
    values[..., 1] = 1  # green that can't be seen
    values[:, :7] = [1, 0.25, 0, 1]
    picture = load(values).resized(size)
    seen = picture.alpha > 0.01
    assert seen.any()
    assert not seen.all()
    np.testing.assert_allclose(picture.rgb[seen], np.broadcast_to([1, 0.25, 0], (seen.sum(), 3)), atol=1e-4)


def test_resizing_with_alpha_is_resizing_what_one_sees_on_black():
    values = np.random.default_rng(0).uniform(0.3, 0.7, (24, 30, 4))
    picture = load(values).resized((11, 13))
    seen = load(values[..., :3] * values[..., 3:]).resized((11, 13))
    np.testing.assert_allclose(picture.rgb * picture.alpha[..., None], seen.rgb, atol=1e-6)


@pytest.mark.parametrize("size", [0, -5, 2.5, "512", None, (4, 0), (4, 5, 6), (), (4, 2.0)])
def test_a_size_which_is_none_is_refused(size):
    expected = f"size {size!r} can't be used for the array: give whole pixels, 1 or more"
    assert message(load(np.zeros((2, 2))).resized, size) == expected


def test_a_size_beyond_the_limit_is_refused():
    expected = "the array at size 20000 has 20000x10000 pixels, more than the 178,956,970 allowed; make it smaller"
    assert message(load, np.zeros((2, 4)), 20000) == expected


# Sources that can't be used


def bomb(width: int = 20000, height: int = 20000, bits: int = 8) -> bytes:
    data = png(np.zeros((1, 1, 3)), 2, bits=bits)
    return data[:8] + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, 2, 0, 0, 0)) + data[33:]


def text_bomb() -> bytes:
    return png(np.zeros((1, 1, 3)), 2, chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(3_000_000))), bits=8)


def profile_bomb() -> bytes:
    return png(np.zeros((1, 1, 3)), 2, chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(3_000_000))), bits=8)


def short_tiff() -> bytes:
    """A TIFF whose header promises more rows than there are strips."""
    data = tiff(noise(9, 9, 3, dtype=np.uint16), photometric="rgb", compression="zlib", rowsperstrip=3)
    rows = struct.pack("<HHII", 257, 4, 1, 9)
    assert data.count(rows) == 1
    return data.replace(rows, struct.pack("<HHII", 257, 4, 1, 900))


UNKNOWN = r" is not a picture of a known kind; use JPEG, PNG, WebP or TIFF"
DAMAGED = r" is damaged or incomplete \(.+\); save it anew"
TOO_BIG = r" has more than 178,956,970 pixels; make it smaller"


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("empty.png", b"", r" is an empty file; give a picture"),
        ("text.png", b"This is text.\n" * 9, UNKNOWN),
        ("short.png", b"\x89PNG\r\n\x1a\n", f"({UNKNOWN}|{DAMAGED})"),
        ("cut.png", encoded(Image.fromarray(noise(64, 64, 3)), "PNG")[:6000], DAMAGED),
        ("cut16.png", png(noise(64, 64, 3, dtype=np.uint16), 2)[:6000], DAMAGED),
        ("cut.jpg", encoded(Image.fromarray(noise(64, 64, 3)), "JPEG")[:3000], DAMAGED),
        ("cut.webp", encoded(Image.fromarray(noise(64, 64, 3)), "WEBP")[:1000], f"({UNKNOWN}|{DAMAGED})"),
        ("cut.tif", encoded(Image.fromarray(noise(64, 64, 3)), "TIFF")[:5000], DAMAGED),
        ("cut16.tif", tiff(noise(64, 64, 3, dtype=np.uint16), photometric="rgb")[:9000], DAMAGED),
        (
            "cut16z.tif",
            tiff(noise(64, 64, 3, dtype=np.uint16), photometric="rgb", compression="zlib")[:9000],
            DAMAGED,
        ),
        ("header.tif", tiff(noise(64, 64, 3, dtype=np.uint16), photometric="rgb")[:120], DAMAGED),
        ("strips.tif", short_tiff(), DAMAGED),
        (
            "nine.tif",
            tiff(noise(9, 9, 9, dtype=np.uint16), photometric="minisblack", planarconfig="contig"),
            UNKNOWN,
        ),
        ("text.tif", b"II*\0This is text.", DAMAGED),
        ("crc.png", png(noise(8, 8, 3), 2, bits=8).replace(b"IDAT", b"IDAT\xff", 1), DAMAGED),
        ("bomb.png", bomb(), TOO_BIG),
        ("bomb16.png", bomb(bits=16), TOO_BIG),
        ("text_bomb.png", text_bomb(), DAMAGED),
        ("profile_bomb.png", profile_bomb(), DAMAGED),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value[:20] else "",
)
def test_a_file_which_is_no_whole_picture_is_refused(tmp_path, name, data, expected):
    (tmp_path / name).write_bytes(data)
    assert re.fullmatch(re.escape(str(tmp_path / name)) + expected, message(load, tmp_path / name))


def test_paths_without_a_file_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert message(load, "no.png") == "no.png does not exist; check the path"
    assert message(load, tmp_path) == f"{tmp_path} is a folder; give the path of a picture in it"
    assert message(load, "") == "'' does not exist; check the path"
    assert message(load, "a\0.png").startswith(r"'a\x00.png' can't be read: ")
    assert message(load, "two\nlines.png") == r"'two\nlines.png' does not exist; check the path"
    (tmp_path / "file").write_bytes(b"x")
    assert message(load, "file/a.png") == "file/a.png can't be read: Not a directory; check path and permissions"


def test_a_file_that_may_not_be_read_is_refused(tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")  # tests may run as root, whom nothing stops

    monkeypatch.setattr(decoding, "open", refuse, raising=False)
    expected = "a.png can't be read: Permission denied; check path and permissions"
    assert message(load, "a.png") == expected


def test_a_pil_image_which_can_not_be_loaded_is_refused(tmp_path):
    Image.fromarray(noise(64, 64, 3)).save(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:6000])
    with Image.open(tmp_path / "a.png") as image:
        assert re.fullmatch("the PIL image" + DAMAGED, message(load, image))
    assert message(load, Image.new("RGB", (0, 5))).startswith("the PIL image has the shape (5, 0, 3)")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_files_never_raise_anything_else(data):
    kinds = [
        ("PNG", {}),
        ("JPEG", {}),
        ("TIFF", {}),
        ("WEBP", {}),
        ("GIF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
    ]
    kind, options = data.draw(st.sampled_from(kinds))
    whole = bytearray(encoded(Image.fromarray(noise(9, 9, 3)), kind, **options))
    if data.draw(st.booleans()):
        whole = bytearray(tiff(noise(9, 9, 3, dtype=np.uint16), photometric="rgb"))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    del whole[data.draw(st.integers(1, len(whole))) :]
    with pytest.MonkeyPatch.context() as patch:  # a damaged header may promise gigabytes
        patch.setattr(pictures, "MAX_PIXELS", 10_000)
        patch.setattr(Image, "MAX_IMAGE_PIXELS", 5_000)
        try:
            found = decoding.from_bytes(bytes(whole), "the file").rgb
        except InputError as error:
            found = str(error)
    if isinstance(found, str):
        assert found.startswith("the file ")
        assert found.isprintable()
    else:
        assert np.isfinite(found).all()


def test_the_limit_is_pillows_own():
    assert 2 * Image.MAX_IMAGE_PIXELS == pictures.MAX_PIXELS


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "16-bit PNG", "16-bit TIFF"])
def test_the_limit_holds_on_every_way_in(tmp_path, monkeypatch, kind):
    deep = noise(6, 10, 3, dtype=np.uint16)
    (tmp_path / "a").write_bytes(
        {
            "PNG": lambda: encoded(Image.new("RGB", (10, 6)), "PNG"),
            "TIFF": lambda: encoded(Image.new("RGB", (10, 6)), "TIFF"),
            "16-bit PNG": lambda: png(deep, 2),
            "16-bit TIFF": lambda: tiff(deep, photometric="rgb"),
        }[kind]()
    )
    monkeypatch.setattr(pictures, "MAX_PIXELS", 60)
    assert load(tmp_path / "a").rgb.shape == (6, 10, 3)
    monkeypatch.setattr(pictures, "MAX_PIXELS", 59)
    expected = f"{tmp_path / 'a'} has 10x6 pixels, more than the 59 allowed; make it smaller"
    assert message(load, tmp_path / "a") == expected


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "GIF"])
def test_below_the_limit_pillow_does_not_warn(tmp_path, monkeypatch, kind):
    Image.new("RGB", (10, 6)).save(tmp_path / "a", kind)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 50)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(Image.DecompressionBombWarning):
            Image.open(tmp_path / "a")
        assert load(tmp_path / "a").rgb.shape == (6, 10, 3)


def test_threads_leave_the_warning_filters_as_they_were(tmp_path):
    Image.fromarray(noise(200, 200, 3)).save(tmp_path / "a.png")
    before = list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        shapes = {picture.rgb.shape for picture in pool.map(load, [tmp_path / "a.png"] * 40)}
    assert shapes == {(200, 200, 3)}
    assert warnings.filters == before


def test_a_damaged_tiff_prints_nothing(tmp_path):
    data = tiff(noise(300, 70, 3, dtype=np.uint16), photometric="rgb", rowsperstrip=10)[:200]
    (tmp_path / "a.tif").write_bytes(data)
    code = "import sys, tfstyle\nfrom tfstyle import images\n"
    code += "try: images.load(sys.argv[1])\nexcept tfstyle.core.errors.InputError: print('refused')"
    run = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "a.tif"], capture_output=True, text=True, check=True, timeout=300
    )
    assert (run.stdout, run.stderr) == ("refused\n", "")


# Writing


def test_8_bits_in_the_lossless_formats(tmp_path):
    values = np.random.default_rng(0).random((7, 5, 3)).astype(np.float32)
    expected = np.floor(values.astype(np.float64) * 255 + 0.5).astype(np.uint8)
    for name in ("a.png", "a.tif", "a.TIFF"):
        save(values, tmp_path / name)
        with Image.open(tmp_path / name) as image:
            assert image.mode == "RGB"
            np.testing.assert_array_equal(np.asarray(image), expected)


def test_16_bits_in_png_and_tiff(tmp_path):
    values = np.random.default_rng(0).random((7, 5, 3))
    expected = np.floor(values.astype(np.float32).astype(np.float64) * 65535 + 0.5)
    save(values, tmp_path / "a.png", bits=16)
    np.testing.assert_array_equal(png_levels((tmp_path / "a.png").read_bytes()), expected)
    save(values, tmp_path / "a.tif", bits=16)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "a.tif"), expected)


def test_alpha_is_written_where_the_format_has_it(tmp_path):
    rgb, alpha = np.full((16, 16, 3), 0.2), np.full((16, 16), 0.6)
    for name in ("a.png", "a.tif", "a.webp"):
        save(rgb, tmp_path / name, alpha=alpha)
        with Image.open(tmp_path / name) as image:
            assert image.mode == "RGBA"
            np.testing.assert_allclose(np.asarray(image), np.broadcast_to([51, 51, 51, 153], (16, 16, 4)), atol=1)
        save(Picture(rgb, alpha, "x"), tmp_path / "again.png")
        assert load(tmp_path / "again.png").alpha == pytest.approx(0.6)
        save(np.dstack([rgb, alpha]), tmp_path / "again.png")
        assert load(tmp_path / "again.png").alpha == pytest.approx(0.6)
    for name in ("deep.png", "deep.tif"):
        save(rgb, tmp_path / name, alpha=alpha, bits=16)
        picture = load(tmp_path / name)
        np.testing.assert_allclose(picture.alpha, 0.6, atol=1 / 131070 + 1e-7)
        np.testing.assert_allclose(picture.rgb, 0.2, atol=1 / 131070 + 1e-7)
    save(rgb, tmp_path / "a.jpg", alpha=alpha)
    np.testing.assert_allclose(load(tmp_path / "a.jpg").rgb, 0.2 * 0.6 + 0.4, atol=LEVEL)


def test_a_given_alpha_replaces_the_pictures(tmp_path):
    save(load(np.full((2, 2, 4), 0.4)), tmp_path / "a.png", alpha=np.full((2, 2), 0.8))
    assert load(tmp_path / "a.png").alpha == pytest.approx(0.8)
    save(np.ones((2, 2, 3)), tmp_path / "a.png", alpha=np.array([[0, 51], [102, 255]], np.uint8))
    np.testing.assert_allclose(load(tmp_path / "a.png").alpha, [[0, 0.2], [0.4, 1]], atol=1e-7)
    expected = "the alpha has shape (3, 2); give it the picture's, (2, 2)"
    assert message(save, np.ones((2, 2, 3)), tmp_path / "a.png", alpha=np.ones((3, 2))) == expected


def test_jpeg_and_webp_have_the_quality_asked_for(tmp_path):
    smooth = np.stack([*np.meshgrid(np.linspace(0, 1, 64), np.linspace(0, 1, 48)), np.full((48, 64), 0.5)], axis=-1)
    for name, kind in (("a.jpg", "JPEG"), ("a.jpeg", "JPEG"), ("a.webp", "WEBP")):
        save(smooth, tmp_path / name)
        np.testing.assert_allclose(load(tmp_path / name).rgb, smooth, atol=0.04)
        usual = (tmp_path / name).stat().st_size
        save(smooth, tmp_path / name, quality=20)
        assert (tmp_path / name).stat().st_size < usual
        with Image.open(tmp_path / name) as image:
            assert image.format == kind
    save(smooth, tmp_path / "a.jpg")
    with Image.open(tmp_path / "a.jpg") as image:
        assert JpegImagePlugin.get_sampling(image) == 0  # 4:4:4
        reference = io.BytesIO()
        image.save(reference, "JPEG", quality=95)
        assert Image.open(reference).quantization == image.quantization


def test_values_out_of_range_are_clipped_and_integers_scaled(tmp_path):
    save(np.array([[-3.0, 0.5, 7.0]]), tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        np.testing.assert_array_equal(np.asarray(image)[0, :, 0], [0, 128, 255])
    save(noise(4, 4, 3), tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        np.testing.assert_array_equal(np.asarray(image), noise(4, 4, 3))
    for bad in (np.nan, np.inf):
        expected = "the array has NaN or infinite values; replace them by numbers in [0, 1]"
        assert message(save, np.full((2, 2, 3), bad), tmp_path / "a.png") == expected


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (3, 3), (4, 1)])
@pytest.mark.parametrize(("name", "bits"), [("a.png", 8), ("a.png", 16), ("a.tif", 8), ("a.tif", 16)])
def test_a_round_trip_is_exact_to_half_a_level(tmp_path, shape, name, bits):
    values = np.random.default_rng(0).random((*shape, 4)).astype(np.float32)
    save(load(values), tmp_path / name, bits=bits)
    once = load(tmp_path / name)
    half = 0.5 / (2**bits - 1) + 1e-7
    np.testing.assert_allclose(once.rgb, values[..., :3], atol=half, rtol=0)
    np.testing.assert_allclose(once.alpha, values[..., 3], atol=half, rtol=0)
    save(once, tmp_path / f"2{name}", bits=bits)
    assert (tmp_path / f"2{name}").read_bytes() == (tmp_path / name).read_bytes()


@pytest.mark.parametrize(
    ("name", "bits", "expected"),
    [
        ("a.gif", 8, "end its name in .png, .tif, .tiff, .jpg, .jpeg, .webp"),
        ("a", 8, "end its name in .png, .tif, .tiff, .jpg, .jpeg, .webp"),
        ("a.jpg", 16, "JPEG can't have 16 bits per channel; use 8, or .png or .tif for 16"),
        ("a.webp", 16, "WebP can't have 16 bits per channel; use 8, or .png or .tif for 16"),
        ("a.png", 12, "PNG can't have 12 bits per channel; use 8 or 16"),
        ("no/a.png", 8, "there is no folder {folder}/no; create it first"),
        ("file/a.png", 8, "there is no folder {folder}/file; create it first"),
        ("folder.png", 8, "it is a folder or a device; give the name of a file"),
    ],
)
def test_a_place_or_format_which_can_not_be_written_is_refused(tmp_path, name, bits, expected):
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "file").write_text("")
    path = tmp_path / name
    expected = f"could not write {path}: {expected.format(folder=tmp_path)}"
    assert message(check_writable, path, bits=bits) == expected
    assert message(save, np.zeros((2, 2, 3)), path, bits=bits) == expected
    assert {file.name for file in tmp_path.iterdir()} == {"folder.png", "file"}


def test_a_folder_without_permission_is_refused(tmp_path, monkeypatch):
    check_writable(tmp_path / "a.png")
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root has every permission
    expected = f"could not write {tmp_path}/a.png: the folder {tmp_path} can't be written in; choose another place"
    assert message(check_writable, tmp_path / "a.png") == expected


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write in a read-only folder")
def test_a_read_only_folder_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    assert "can't be written in" in message(check_writable, tmp_path / "a.png")
    tmp_path.chmod(0o700)


def test_checking_writes_nothing(tmp_path):
    check_writable(tmp_path / "a.png", bits=16)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("quality", [0, 101, 50.5, "95"])
def test_a_quality_out_of_range_is_refused(tmp_path, quality):
    expected = f"quality {quality!r} can't be used: give a whole number from 1 to 100"
    assert message(save, np.zeros((2, 2, 3)), tmp_path / "a.jpg", quality=quality) == expected


@pytest.mark.parametrize(("name", "side"), [("a.jpg", 70000), ("a.webp", 17000)])
def test_a_picture_too_big_for_its_format_is_refused(tmp_path, name, side):
    text = message(save, np.zeros((1, side), np.uint8), tmp_path / name)
    kind = "JPEG" if name == "a.jpg" else "WebP"
    start, end = f"could not write {tmp_path / name} as {kind}: ", "; make the picture smaller or choose .png"
    assert text.startswith(start)
    assert text.endswith(end)
    assert not list(tmp_path.iterdir())


# All or nothing


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize(
    "failure",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EIO, "Input/output error"),
        KeyboardInterrupt(),
    ],
    ids=["full", "broken", "interrupted"],
)
def test_after_a_failure_the_old_file_stands_and_nothing_else(tmp_path, monkeypatch, step, failure):
    path = tmp_path / "a.png"
    save(noise(4, 4, 3), path)
    before = path.read_bytes()

    def fail(*_: object) -> None:
        assert len(list(tmp_path.iterdir())) == 2  # the temporary file is beside the old one
        raise failure

    monkeypatch.setattr(os, step, fail)
    if isinstance(failure, KeyboardInterrupt):
        with pytest.raises(KeyboardInterrupt):
            save(np.zeros((4, 4, 3)), path)
    else:
        fix = "free some space or choose another place" if failure.errno == errno.ENOSPC else "choose another place"
        expected = f"could not write {path}: {failure.strerror}; {fix}"
        assert message(save, np.zeros((4, 4, 3)), path) == expected
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_permissions_are_those_of_any_new_file(tmp_path):
    mask = os.umask(0o027)
    try:
        save(np.zeros((2, 2, 3)), tmp_path / "a.png")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "a.png").stat().st_mode) == 0o640


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.png").symlink_to(tmp_path / "folder" / "a.png")
    save(noise(2, 2, 3), tmp_path / "link.png")
    assert (tmp_path / "link.png").is_symlink()
    np.testing.assert_array_equal(load(tmp_path / "folder" / "a.png").rgb, noise(2, 2, 3) / np.float32(255))


def test_a_name_as_long_as_names_can_be(tmp_path):
    path = tmp_path / ("a" * 251 + ".png")
    save(np.zeros((2, 2, 3)), path)
    assert path.is_file()
