"""The documentation site: `sphinx-build -W -c docs . build/site` in the top folder.

The pages are those that GitHub shows, in their places, so that each link is written once.
"""

import tf_style

project = "tf_style"
author = "The tf_style authors"
copyright = author
release = version = tf_style.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
root_doc = "docs/index"
include_patterns = ["*.md", "docs/**", "benchmarks/*.md", "tools/*.md"]

# As GitHub reads them: names of headings, formulas.
myst_heading_anchors = 4
myst_enable_extensions = ["dollarmath"]
myst_fence_as_directive = ["math"]

# Docstrings: single backticks are code, and a link where they name something of this package.
default_role = "py:obj"
autodoc_member_order = "bysource"
# A docstring of Keras' says nothing of ours.
autodoc_inherit_docstrings = False
python_maximum_signature_line_length = 88
napoleon_google_docstring, napoleon_numpy_docstring = True, False
napoleon_custom_sections = ["Source"]

html_theme = "furo"
html_title = f"tf_style {release}"
html_extra_path = ["site"]
