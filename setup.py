"Reads settings.ini, the one place for the package's metadata; only the records and the type stubs are added here."
import shutil, sys
from configparser import ConfigParser
from pathlib import Path
from setuptools import setup
from setuptools.command.build_py import build_py

top = Path(__file__).parent
parser = ConfigParser(delimiters=['='])
parser.read(top/'settings.ini', encoding='utf-8')
cfg = parser['DEFAULT']
lib = cfg['lib_name']


sys.path.insert(0, str(top/'tools'))
import stubs  # noqa: E402


class WithRecords(build_py):
    "A wheel carries type stubs, and runs/ as vidgan_nb/runs; an editable install reads the repository's own records"
    def run(self):
        super().run()
        stubs.write(top, top/lib if self.editable_mode else Path(self.build_lib)/lib)
        if self.editable_mode or not (top/'runs').is_dir(): return
        dest = Path(self.build_lib)/lib/'runs'
        shutil.rmtree(dest, ignore_errors=True)
        shutil.copytree(top/'runs', dest)


setup(
    name=lib, version=cfg['version'], description=cfg['description'], url=cfg['git_url'],
    author=cfg['author'], author_email=cfg['author_email'], keywords=cfg['keywords'].split(),
    license='Apache-2.0', license_files=['LICENSE'], python_requires=f">={cfg['min_python']}",
    long_description=(top/'README.md').read_text(encoding='utf-8') if (top/'README.md').exists() else cfg['description'],
    long_description_content_type='text/markdown',
    classifiers=['Development Status :: 3 - Alpha', 'Intended Audience :: Science/Research', 'Programming Language :: Python :: 3',
                 'Topic :: Scientific/Engineering :: Artificial Intelligence'],
    packages=[lib], package_data={lib: ['recipes/*.yaml', 'papers.yaml', 'moved.txt']}, include_package_data=False, zip_safe=False,
    install_requires=cfg['requirements'].split(), extras_require={'dev': cfg['dev_requirements'].split(), 'umap': cfg['umap_requirements'].split()},
    entry_points={'console_scripts': cfg['console_scripts'].split(), 'nbdev': [f'{lib}={lib}._modidx:d']},
    cmdclass={'build_py': WithRecords},
)
