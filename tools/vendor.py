"""Packages of others that the site and its tests need, fetched with npm into a cache outside the tree and checked: `python tools/vendor.py` fetches all.

The cache is VIDGAN_SITE_CACHE, or ~/.cache/vidgan_nb/site. Nothing is fetched twice; what npm gives must have the SHA-512 below, or it is not used.
"""
import base64, hashlib, os, shutil, subprocess, sys, tarfile, tempfile
from pathlib import Path

PACKAGES = {
    'mathjax': ('3.2.2', 'Bt+SSVU8eBG27zChVewOicYs7Xsdt40qm4+UpHyX7k0/O9NliPc+x77k1/FEsPsjKPZGJvtRZM1vO+geW0OhGw=='),
    'playwright-core': ('1.61.0', 'caX7TrY3Ml6egyDX0WUcTHDxodl/b51y5wJOdCEA36QviK/s2g081hvmGs8eaE3DWb6NYZQ6BjO/QkNRPenoPA=='),
    'axe-core': ('4.14.1', 'FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=='),
    'fuse.js': ('6.6.2', 'cJaJkxCCxC8qIIcPBF9yGxY0W/tVZS3uEISDxhYIdtk8OL93pe+6Zj7LjCqVV4dzbqcriOZ+kQ/NE4RXZHsIGA=='),
}


def cache():
    "The folder that fetched packages are kept in"
    return Path(os.environ.get('VIDGAN_SITE_CACHE') or Path.home()/'.cache'/'vidgan_nb'/'site')


def package(name):
    "The folder of an unpacked package, or None, and then says why"
    version, want = PACKAGES[name]
    folder = cache()/f'{name}-{version}'
    if (folder/'package.json').is_file(): return folder
    if not shutil.which('npm'): print(f'vendor.py: no npm, so no {name} {version}', file=sys.stderr); return None
    with tempfile.TemporaryDirectory() as tmp:
        try: r = subprocess.run(['npm', 'pack', '--silent', f'{name}@{version}'], cwd=tmp, capture_output=True, encoding='utf-8', timeout=240)
        except subprocess.TimeoutExpired: print(f'vendor.py: npm gave no {name} {version} within 240 s', file=sys.stderr); return None
        tars = list(Path(tmp).glob('*.tgz'))
        if r.returncode or not tars: print(f'vendor.py: npm gave no {name} {version}: {r.stderr.strip()[-200:]}', file=sys.stderr); return None
        got = base64.b64encode(hashlib.sha512(tars[0].read_bytes()).digest()).decode()
        if got != want: print(f'vendor.py: {name} {version} has SHA-512 {got}, not {want}: not used', file=sys.stderr); return None
        with tarfile.open(tars[0]) as t: t.extractall(tmp, filter='data')
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.move(Path(tmp)/'package', folder)
    return folder


def mathjax(dest):
    "Put MathJax, its fonts and its licence into a folder; False if there is none"
    found, dest = package('mathjax'), Path(dest)
    if not found: return False
    for f in ('es5/tex-chtml-full.js', 'LICENSE', 'es5/output/chtml/fonts'):
        to = dest/f.removeprefix('es5/')
        to.parent.mkdir(parents=True, exist_ok=True)
        if (found/f).is_dir(): shutil.copytree(found/f, to, dirs_exist_ok=True)
        else: shutil.copy2(found/f, to)
    return True


if __name__ == '__main__': sys.exit(not all([package(p) for p in PACKAGES]))
