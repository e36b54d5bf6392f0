# SPDX-License-Identifier: Apache-2.0
"""Makes the pictures beside it, in every kind and coding Blender 3.4 writes:

    blender -b --factory-startup -noaudio --python-exit-code 3 -P make.py -- .
"""
import os
import sys

import bpy

OUT = os.path.abspath(sys.argv[sys.argv.index("--") + 1])

# name, format, and further settings of the image
KINDS = [
    ("rgb8.png", "PNG", {"color_mode": "RGB"}),
    ("rgba16.png", "PNG", {"color_mode": "RGBA", "color_depth": "16"}),
    ("grey8.png", "PNG", {"color_mode": "BW"}),
    ("rgb.jpg", "JPEG", {"color_mode": "RGB"}),
    ("grey.jpg", "JPEG", {"color_mode": "BW"}),
    ("rgba8.tif", "TIFF", {"color_mode": "RGBA", "tiff_codec": "DEFLATE"}),
    ("rgb16.tif", "TIFF", {"color_depth": "16", "tiff_codec": "NONE"}),
    ("rgba.webp", "WEBP", {"color_mode": "RGBA"}),
    ("zip.exr", "OPEN_EXR", {"exr_codec": "ZIP", "color_depth": "16"}),
    ("piz.exr", "OPEN_EXR", {"exr_codec": "PIZ", "color_depth": "32"}),
    ("none.exr", "OPEN_EXR", {"exr_codec": "NONE", "color_depth": "16"}),
    ("dwaa.exr", "OPEN_EXR", {"exr_codec": "DWAA", "color_depth": "16"}),
    ("pxr24.exr", "OPEN_EXR", {"exr_codec": "PXR24", "color_depth": "32"}),
    ("rle.exr", "OPEN_EXR", {"exr_codec": "RLE", "color_depth": "16"}),
    ("layers.exr", "OPEN_EXR_MULTILAYER", {"exr_codec": "ZIP"}),
]


def scene_make():
    bpy.ops.wm.read_factory_settings()
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 1
    scene.cycles.use_denoising = False
    scene.render.film_transparent = True
    scene.render.resolution_x = 40
    scene.render.resolution_y = 30
    scene.render.resolution_percentage = 100
    scene.render.use_stamp = False
    bpy.data.materials["Material"].node_tree.nodes["Principled BSDF"].inputs[
        0
    ].default_value = (1, 0.1, 0.1, 1)
    return scene


def main():
    scene = scene_make()
    image = scene.render.image_settings
    for name, kind, settings in KINDS:
        image.file_format = kind
        for key, value in settings.items():
            setattr(image, key, value)
        scene.render.filepath = os.path.join(OUT, name)
        bpy.ops.render.render(write_still=True)


main()
