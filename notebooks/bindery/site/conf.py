"""Settings of Sphinx for the book; `bindery` writes the pages beside it."""

project = author = html_title = "ivdlib"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_theme_options = {"top_of_page_buttons": []}  # sources are notebooks, not what stands here
html_static_path, templates_path = ["static"], ["templates"]
html_css_files = ["book.css"]
html_copy_source = html_show_sourcelink = False
html_show_sphinx = html_show_copyright = False
nb_execution_mode = "off"
nb_ipywidgets_js = {}  # else from a server; a widget's static picture stands in the page
myst_heading_anchors = 3
napoleon_google_docstring = False
napoleon_use_ivar = True
default_role, highlight_language = "code", "none"  # of indented lines; most are commands
autodoc_member_order = "bysource"
autodoc_typehints = "description"
suppress_warnings = ["mystnb.unknown_mime_type", "myst.header"]
