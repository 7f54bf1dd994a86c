"""Where the book is bound: lessons, front page, docs and reference become a site.

`notebooks/book.py` is the command. What the pages look like stands in the folder `site`.
"""
