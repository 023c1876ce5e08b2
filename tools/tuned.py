"""The best settings of a search as lines for `vidgan record`: the tuned weight of each rival, at several seeds.

    python tools/tuned.py tools/zoo-tries.txt              three seeds of each rival whose search is complete
    python tools/tuned.py tools/zoo-tries.txt --seeds 5

The search itself is `vidgan tune --try FILE`; its tables lie in runs/tuning/. A rival whose best setting is the recipe as it is
gets lines without a setting, so that a record at the published weight is not made twice. Seeds of all rivals alternate.
"""
import argparse, sys
from pathlib import Path
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def lines(tries, folder, seeds):
    "Names of records, the first seed of all rivals first; and what is not searched yet"
    from vidgan_nb.recipes import record_name
    from vidgan_nb.tuning import read_table, tuned
    best, missing = {}, []
    for name, settings in tries.items():
        path = Path(folder)/'tuning'/f'{record_name(name)}.csv'
        rows = read_table(path) if path.is_file() else []
        if {r['setting'] for r in rows} < set(settings): missing.append(f'{name}: {len(rows)} of {len(settings)} settings tried')
        else: best[name] = tuned(name, folder)[1]
    return [f'{n},seed={k}' if k else n for k in range(seeds) for n in best.values()], missing


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('file')
    p.add_argument('--seeds', type=int, default=3)
    a = p.parse_args()
    from vidgan_nb.recompute import runs_folder
    from vidgan_nb.tuning import read_tries
    found, missing = lines(read_tries(a.file), runs_folder(), a.seeds)
    print('\n'.join(found))
    for m in missing: print(m, file=sys.stderr)
    return bool(missing)


if __name__ == '__main__': sys.exit(main())
