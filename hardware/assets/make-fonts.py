#!/usr/bin/env python3
"""Makes the font files in this folder from Debian's font packages.

    apt-get install fonts-unifont fonts-noto-cjk fonts-wqy-microhei unicode-data
    pip install fonttools pillow
    python3 make-fonts.py

The result is committed; this needs to run only when a font or the set of characters changes. It prints what each file
covers and fails if a character that a name in mainland China may hold (GB 18030-2022 level 2) is in no face.
"""

import bz2
import io
import pathlib
import struct
import sys
import zlib

from fontTools import subset
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.ttLib import TTFont
from PIL import Image, ImageDraw, ImageFont

HERE = pathlib.Path(__file__).resolve().parent
UNIFONT = "/usr/share/fonts/opentype/unifont/unifont.otf"
UNIFONT_JP = "/usr/share/fonts/opentype/unifont/unifont_jp.otf"
NOTO, NOTO_FACE = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", 2
MICROHEI, MICROHEI_FACE = "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc", 0
UNIHAN = "/usr/share/unicode/Unihan_OtherMappings.txt.bz2"

CELL = 16  # pixels of a bitmap glyph's height, and of a wide one's width
UNIT = 4  # font units per pixel in Unifont's outlines
ASCENT = 56  # font units above the base line
SHADE_MIN = 104  # a pixel of a shrunk outline is set from this brightness on


def standard_characters():
    """通用规范汉字表 (8,105), as Unihan records it: all that GB 18030-2022 level 2 asks for."""
    with bz2.open(UNIHAN, "rt", encoding="utf-8") as lines:
        return {int(line.split("\t")[0][2:], 16) for line in lines if "\tkTGH\t" in line}


def gbk_characters():
    found = set()
    for lead in range(0x81, 0xFF):
        for trail in range(0x40, 0xFF):
            try:
                found.add(ord(bytes([lead, trail]).decode("gbk")))
            except UnicodeDecodeError:
                pass
    return found


def level_2_characters(standard, gbk):
    """What GB 18030-2022 level 2 asks for: level 1 (the unified ideographs up to U+9FEF, extension A, six of
    extension B and the radicals that older versions kept in two bytes) and 通用规范汉字表."""
    ideographs = set(range(0x3400, 0x4DB6)) | set(range(0x4E00, 0x9FF0)) | {0x3007}
    two_bytes = {0x20087, 0x20089, 0x200CC, 0x215D7, 0x2298F, 0x241FE}
    radicals = set(range(0x2F00, 0x2FD6)) | {
        0x2E81, 0x2E84, 0x2E88, 0x2E8B, 0x2E8C, 0x2E97, 0x2EA7, 0x2EAA, 0x2EAE, 0x2EB3, 0x2EB6, 0x2EB7, 0x2EBB, 0x2ECA
    }
    return ideographs | two_bytes | radicals | standard | gbk


def pack(name, raw):
    """Length, then zlib: the reader reserves exactly what it needs."""
    path = HERE / name
    path.write_bytes(struct.pack("<I", len(raw)) + zlib.compress(raw, 9))
    print(f"{name}: {path.stat().st_size:,} bytes, {len(raw):,} unpacked")


def pixels(font, glyph_set, glyph_name):
    """A Unifont outline is made of unit squares: filling the cells inside gives back the bitmap exactly."""
    width = font["hmtx"][glyph_name][0]
    if width not in (8 * UNIT, 16 * UNIT):
        return None  # combining marks and the like
    columns = width // UNIT
    rows = [0] * CELL
    pen = DecomposingRecordingPen(glyph_set)
    glyph_set[glyph_name].draw(pen)
    start = last = None

    def edge(a, b):
        if a[0] == b[0]:
            inside = (1 << max(0, columns - max(0, round(a[0] / UNIT)))) - 1
            for row in range(CELL):
                if min(a[1], b[1]) <= ASCENT - UNIT * row - UNIT / 2 < max(a[1], b[1]):
                    rows[row] ^= inside

    for verb, points in pen.value:
        if verb == "moveTo":
            start = last = points[0]
        elif verb == "lineTo":
            edge(last, points[0])
            last = points[0]
        elif verb == "closePath":
            edge(last, start)
    return columns, b"".join(row.to_bytes(columns // 8, "big") for row in rows)


def shrunk(code, face):
    """A glyph that Unifont lacks, from the outline face at 16 pixels."""
    image = Image.new("L", (CELL, CELL), 0)
    box = face.getbbox(chr(code))
    at = ((CELL - (box[2] - box[0])) // 2 - box[0], (CELL - (box[3] - box[1])) // 2 - box[1])
    ImageDraw.Draw(image).text(at, chr(code), fill=255, font=face)
    rows = []
    for y in range(CELL):
        bits = 0
        for x in range(CELL):
            bits = bits << 1 | (image.getpixel((x, y)) >= SHADE_MIN)
        rows.append(bits.to_bytes(2, "big"))
    return 16, b"".join(rows)


def make_bitmaps(wanted_beyond):
    glyphs = {}
    for path in (UNIFONT, UNIFONT_JP):
        font = TTFont(path)
        glyph_set, cmap = font.getGlyphSet(), font.getBestCmap()
        for code, glyph_name in sorted(cmap.items()):
            private = 0xE000 <= code <= 0xF8FF
            if code < 0x20 or 0x7F <= code < 0xA0 or private or code in glyphs:
                continue
            made = pixels(font, glyph_set, glyph_name)
            if made:
                glyphs[code] = made
    face = ImageFont.truetype(NOTO, 16, index=NOTO_FACE)
    for code in sorted(wanted_beyond - glyphs.keys()):
        glyphs[code] = shrunk(code, face)
    raw = b"HUFUBMP1"
    bodies = b""
    for columns in (8, 16):
        codes = sorted(code for code, glyph in glyphs.items() if glyph[0] == columns)
        runs = []
        for code in codes:
            if runs and runs[-1][0] + runs[-1][1] == code:
                runs[-1][1] += 1
            else:
                runs.append([code, 1])
        raw += struct.pack("<I", len(runs)) + b"".join(struct.pack("<II", *run) for run in runs)
        bodies += b"".join(glyphs[code][1] for code in codes)
    pack("bitmap16.bin", raw + bodies)
    return set(glyphs)


def make_outlines(name, source, face, wanted):
    options = subset.Options()
    options.hinting = False
    options.layout_features = []
    options.glyph_names = False
    options.name_IDs = [0, 13, 14]
    options.drop_tables += ["vhea", "vmtx", "VORG", "BASE", "GSUB", "GPOS", "GDEF", "DSIG", "FFTM"]
    font = TTFont(source, fontNumber=face)
    have = set(font.getBestCmap())
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=wanted)
    subsetter.subset(font)
    raw = io.BytesIO()
    font.save(raw)
    pack(name, raw.getvalue())
    return have & wanted


def main():
    standard, gbk = standard_characters(), gbk_characters()
    assert len(standard) == 8105 and len(gbk) == 21791, (len(standard), len(gbk))
    plain = set(range(0x20, 0x7F)) | set(range(0xA0, 0x180)) | set(range(0x2010, 0x2040))
    plain |= {0x20AC, 0x2212, 0x3013, 0x00B7}
    marks = {code for code in gbk if code < 0x3400 or code >= 0xF900}
    first = plain | marks | standard
    level_2 = level_2_characters(standard, gbk)
    bitmaps = make_bitmaps(level_2)
    main_face = make_outlines("outline-main.bin", NOTO, NOTO_FACE, first)
    rest_face = make_outlines("outline-rest.bin", MICROHEI, MICROHEI_FACE, gbk - main_face)
    more_face = make_outlines("outline-more.bin", NOTO, NOTO_FACE, level_2 - main_face - rest_face)
    outlines = main_face | rest_face | more_face
    print(f"bitmaps: {len(bitmaps)}, outlines: {len(main_face)} + {len(rest_face)} + {len(more_face)}")
    for what, wanted in (("通用规范汉字表", standard), ("GBK", gbk), ("GB 18030-2022 level 2", level_2)):
        print(what, "without bitmap:", len(wanted - bitmaps), "without outline:", len(wanted - outlines))
    if level_2 - bitmaps or level_2 - outlines or standard - main_face:
        sys.exit("a character of a name would be missing")
    lists = (("standard.bin", standard), ("gbk.bin", gbk - standard), ("more.bin", level_2 - standard - gbk))
    for name, codes in lists:
        pack(name, "".join(map(chr, sorted(codes))).encode("utf-8"))


main()
