"""Whose is the environment that runs this? The Makefile asks before it installs: `python -I tools/whose.py` prints

nothing        where vidgan_nb is imported from this clone,
`again`        where it is not installed, or the environment stands in this clone and imports it from elsewhere (a clone that was moved),
its folder     where another clone, or a release, is installed.
"""
import importlib.util, os, sys

here = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
spec = importlib.util.find_spec('vidgan_nb')
there = os.path.dirname(os.path.dirname(os.path.realpath(spec.origin))) if spec and spec.origin else None
if there != here: print('again' if there is None or os.path.realpath(sys.prefix).startswith(here + os.sep) else there)
