"""The WGAN-GP steps beside the published ones (`vidgan bench` does the timing), and what importing the package costs over torch.

    python tools/bench_wgan.py [--quick] [--threads N] [--json FILE]
"""
import argparse, json, statistics, subprocess, sys, time
from pathlib import Path
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def imports(times=5):
    "Seconds that importing the package and its chapters costs over `import torch`: medians of interleaved processes"
    def took(code): t = time.perf_counter(); subprocess.run([sys.executable, '-c', code], check=True, cwd=Path(__file__).resolve().parents[1]); return time.perf_counter() - t
    codes = dict(torch='import torch', vidgan_nb='import torch, vidgan_nb', wgan='import torch, vidgan_nb.wgan, vidgan_nb.metrics')
    ts = [{k: took(c) for k, c in codes.items()} for _ in range(times)]
    return {k: statistics.median(t[k] - t['torch'] for t in ts) for k in codes if k != 'torch'} | dict(torch=statistics.median(t['torch'] for t in ts))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--quick', action='store_true', help='fewer pairs')
    p.add_argument('--threads', type=int, default=None)
    p.add_argument('--json', type=Path)
    a = p.parse_args()
    import torch
    if a.threads: torch.set_num_threads(a.threads)
    from vidgan_nb.bench import ROWS, bench, report
    out = bench([k for k in ROWS if k.startswith('wgan-')], a.quick)
    print(report(out))
    i = out['import_seconds'] = imports()
    print(f'import torch {i["torch"]:.2f} s; vidgan_nb {i["vidgan_nb"]:+.2f} s; vidgan_nb.wgan and .metrics {i["wgan"]:+.2f} s')
    if a.json: a.json.write_text(json.dumps(out, indent=1), encoding='utf-8')
    sys.exit(bool(out['failed']))


if __name__ == '__main__':
    main()
