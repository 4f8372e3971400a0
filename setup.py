import os
import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = next(
    line.split('"')[1]
    for line in (HERE / "tf_style" / "__init__.py").read_text(encoding="utf-8").splitlines()
    if line.startswith("__version__")
)
README = (HERE / "README.md").read_text(encoding="utf-8")
# The release workflow sets it: on PyPI, links relative to the repository lead nowhere.
REPOSITORY = os.environ.get("TF_STYLE_REPOSITORY", "")
if REPOSITORY:
    tag = f"v{VERSION}"
    README = re.sub(r"(!\[[^\]]*\]\()(?!https:)", rf"\1{REPOSITORY}/raw/{tag}/", README)
    README = README.replace("](#", "](README.md#")
    README = re.sub(r"(\]\()(?!https:)", rf"\1{REPOSITORY}/blob/{tag}/", README)

setup(
    name="tf_style",
    version=VERSION,
    description="Neural style transfer on TensorFlow and Keras",
    long_description=README,
    long_description_content_type="text/markdown",
    project_urls={"Source": REPOSITORY} if REPOSITORY else {},
    license="Apache-2.0",
    license_files=["LICENSE", "NOTICE"],
    python_requires=">=3.10",
    packages=[*find_packages(include=["tf_style", "tf_style.*"]), "tf_style.flags"],
    # The presets stand at the top of the checkout and inside of the installed package.
    package_dir={"tf_style.flags": "flags"},
    package_data={
        "tf_style": ["py.typed"],
        "tf_style.image": ["pictures/*.jpg"],
        "tf_style.network": ["compact.h5"],
        "tf_style.studio": ["page/*"],
        "tf_style.transfer": ["samples.keras", "samples.tflite"],
        "tf_style.flags": ["*.flags"],
    },
    install_requires=["tensorflow>=2.16", "numpy", "matplotlib", "pillow>=10.1", "absl-py"],
    extras_require={
        # 16 bits a channel, which Pillow lacks.
        "deep": ["tifffile", "imagecodecs"],
        # A status line with colours. Keras may bring it; without it, plain characters do.
        "progress": ["rich>=13"],
        # Films and cameras. PyAV's wheels hold x264 and x265, which are under the GPL.
        "video": ["av>=17", "opencv-python-headless"],
        # A local page. LiteRT paints its first picture while TensorFlow is still being loaded.
        "studio": [
            "starlette>=0.40", "uvicorn>=0.35", "websockets>=14",
            "ai-edge-litert; platform_system == 'Linux'",
        ],
        # Workers on many machines. Ray has no part for clusters on Windows.
        "cluster": ["ray>=2.52; platform_system != 'Windows'"],
        "test": [
            "ray>=2.52; platform_system != 'Windows'",
            "starlette>=0.40", "uvicorn>=0.35", "websockets>=14", "httpx", "playwright",
            "axe-playwright-python",
            "av>=17", "opencv-python-headless", "pytest", "pytest-xdist", "hypothesis", "scipy",
            "nbconvert", "ipykernel", "tifffile",
            "imagecodecs", "pillow-heif", "rich>=13", "tf2onnx", "onnx", "onnxruntime", "faiss-cpu",
            "ai-edge-litert; platform_system == 'Linux'",
        ],
        # Networks that paint, without loading TensorFlow.
        "lite": ["ai-edge-litert"],
        # Libraries of more than 100 000 pictures.
        "index": ["faiss-cpu>=1.8"],
        # features.export(…, format="onnx").
        "onnx": ["tf2onnx", "onnx"],
        "lbfgs": ["scipy>=1.11"],
        "docs": ["sphinx>=7.4", "myst-parser>=3", "furo"],
        "notebooks": ["jupyterlab"],
        "gpu": ["tensorflow[and-cuda]>=2.16; platform_system == 'Linux'"],
    },
    entry_points={
        "console_scripts": [
            "tf_style=tf_style.cli:main",
            "tf_style_evaluate=tf_style.cli:evaluate",
            "tf_style_learn=tf_style.cli:learn",
            "tf_style_explain=tf_style.cli:explain",
            "tf_style_train=tf_style.cli:train",
            "tf_style_camera=tf_style.cli:camera",
            "tf_style_library=tf_style.cli:library",
            "tf_style_studio=tf_style.cli:studio",
        ]
    },
    classifiers=[
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3",
        "Topic :: Multimedia :: Graphics",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Typing :: Typed",
    ],
)
