"""Exact versions of what this project installs, and the licences of those packages.

    python tools/lock.py                                  resolve again, with this Python, and write both files
    python tools/lock.py python3.11 python3.12 python3.13 with these Pythons: a line says for which ones it holds, if not for all
    python tools/lock.py --check                          are both files in step with settings.ini and with each other? (reads only)

requirements.lock is a file of constraints: `pip install -c requirements.lock -e '.[dev]'`, or PIP_CONSTRAINT=requirements.lock
make test. licences.txt says what the packages' own metadata say. pip resolves for the system it runs on: a package that only
another system needs stays unconstrained there. Local parts of versions (+cpu) are left out.
"""
import argparse, importlib.metadata, json, re, subprocess, sys, tempfile
from pathlib import Path
sys.path.insert(0, str(Path(__file__).resolve().parent))
import nb as N

LOCK, LICENCES = 'requirements.lock', 'licences.txt'
HEAD = '# Made by tools/lock.py'


def wanted(root):
    "The requirements of settings.ini, also those of the notebooks and tests"
    cfg = N.settings(root)
    return cfg['requirements'].split() + cfg['dev_requirements'].split()


def plain(name): return re.sub(r'[-_.]+', '-', name).lower()


def resolve(python, needs):
    "What pip would install with this Python into an empty environment: its version, and the metadata of each package"
    with tempfile.TemporaryDirectory() as tmp:
        report = Path(tmp)/'report.json'
        words = [python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--dry-run', '--ignore-installed', '--report', report, *needs]
        subprocess.run([str(w) for w in words], check=True, stdin=subprocess.DEVNULL)
        got = json.loads(report.read_text(encoding='utf-8'))
    version = '.'.join(got['environment']['python_full_version'].split('.')[:2])
    return version, {plain(p['metadata']['name']): p['metadata'] for p in got['install']}


def licence(metadata):
    "The licence that a package's metadata state: an SPDX expression, else its classifiers, else the first line of its text"
    expression, text = metadata.get('license_expression') or '', (metadata.get('license') or '').strip().splitlines()
    named = [c.split(' :: ')[-1] for c in metadata.get('classifier', ()) if c.startswith('License ::')]
    named = [c for c in named if c != 'OSI Approved']
    return expression or ', '.join(named) or (text[0].strip()[:80] if text else '') or installed(metadata['name']) or 'not stated'


def installed(name):
    "The expression in the metadata of the installed package: the report of an older pip has no such field"
    try: return importlib.metadata.metadata(name).get('License-Expression') or ''
    except importlib.metadata.PackageNotFoundError: return ''


def public(version): return version.partition('+')[0]


def lock_text(found):
    "The constraints: one line a package where all Pythons agree, else one for each Python that has it"
    lines, pythons = [], sorted(found, key=number)
    for name in sorted({n for packages in found.values() for n in packages}):
        by = {v: [p for p in pythons if name in found[p] and public(found[p][name]['version']) == v]
              for v in {public(found[p][name]['version']) for p in pythons if name in found[p]}}
        for v in sorted(by, key=lambda v: [number(p) for p in by[v]]):
            marker = '' if by[v] == pythons else ' ; ' + ' or '.join(f"python_version == '{p}'" for p in by[v])
            lines.append(f'{name}=={v}{marker}')
    return '\n'.join([f"{HEAD} with Python {', '.join(pythons)}: constraints for pip install -c {LOCK} -e '.[dev]'", *lines]) + '\n'


def number(python): return tuple(map(int, python.split('.')))


def licence_text(found):
    "A line a package: its name, and its licence as its metadata state it"
    of = {n: licence(m) for p in sorted(found, key=number) for n, m in found[p].items()}
    width = max(map(len, of), default=0)
    return '\n'.join([f'{HEAD}: what the metadata of the packages in {LOCK} say about their licences',
                      *(f'{n:{width}}  {of[n]}' for n in sorted(of))]) + '\n'


def constraints(text):
    "The Pythons that a lock file is for, and its lines as requirements"
    from packaging.requirements import Requirement
    pythons = re.findall(r'\d+\.\d+', text.partition('\n')[0].partition(':')[0])
    return pythons, [Requirement(l) for l in text.splitlines() if l and not l.startswith('#')]


def problems(root):
    "What is wrong with the two files, a line each"
    from packaging.requirements import Requirement
    missing = [f'{f}: missing (tools/lock.py makes it)' for f in (LOCK, LICENCES) if not (Path(root)/f).is_file()]
    if missing: return missing
    texts = [(Path(root)/f).read_text(encoding='utf-8') for f in (LOCK, LICENCES)]
    pythons, held = constraints(texts[0])
    out = [] if pythons else [f'{LOCK}: its first line names no Python']
    out += [f'{LOCK}: {r} is no exact version' for r in held if not re.fullmatch(r'==[\w.!]+', str(r.specifier))]
    for need in map(Requirement, wanted(root)):
        for python in pythons:
            have = [r for r in held if plain(r.name) == plain(need.name) and (not r.marker or r.marker.evaluate({'python_version': python}))]
            if len(have) != 1: out.append(f'{LOCK}: {len(have)} versions of {need.name} with Python {python}')
            elif not need.specifier.contains(str(have[0].specifier)[2:], prereleases=True): out.append(f'{LOCK}: {have[0].name}{have[0].specifier} is not {need}')
    listed = [l.split()[0] for l in texts[1].splitlines() if l and not l.startswith('#')]
    out += [f'{LICENCES}: nothing about {n}' for n in sorted({plain(r.name) for r in held} - {*listed})]
    return out + [f'{LICENCES}: {n} is not in {LOCK}' for n in sorted({*listed} - {plain(r.name) for r in held})]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('pythons', nargs='*', default=[sys.executable], help='Pythons to resolve with (default: this one)')
    p.add_argument('--check', action='store_true', help='write nothing; exit with 1 if a file is out of step')
    p.add_argument('--root', type=Path, default=Path(__file__).resolve().parent.parent, help=argparse.SUPPRESS)
    a = p.parse_args()
    if not a.check:
        found = dict(resolve(python, wanted(a.root)) for python in a.pythons)
        for name, text in ((LOCK, lock_text(found)), (LICENCES, licence_text(found))):
            (a.root/name).write_text(text, encoding='utf-8')
            print(f'{name}: {len(text.splitlines()) - 1} lines')
    wrong = problems(a.root)
    print('\n'.join(wrong) or f'{LOCK} and {LICENCES} are in step with settings.ini')
    sys.exit(bool(wrong))


if __name__ == '__main__': main()
