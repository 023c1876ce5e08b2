"""How fast the metrics are at Inception's 2048 features: the Fréchet distance against torch-fidelity's and SciPy's matrix root.

    python tools/bench_metrics.py [--n 10000] [--rounds 3] [--spectrum 1] [--threads 1] [--json FILE]

All start from the same two means and covariances and take turns; the result is the median over the rounds of the ratio of
their processor times. Precision and recall are paired with torch-fidelity's in the same way, in --pairs rounds. The clouds have a spectrum falling as a power of the rank, turned by a random rotation. Then seconds for the
metrics that need the features. Needs torch-fidelity; run it on a quiet machine.
"""
import argparse, json, os, statistics, sys, time
from pathlib import Path
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def seconds(f):
    "What `f` returns, and its processor time, which other programs on the machine hardly change"
    start = time.process_time()
    out = f()
    return out, time.process_time() - start


def clouds(n, d, power, torch):
    "Features of two made-up sets of images: correlated, with a spectrum i^-power, a little apart"
    gen = torch.Generator().manual_seed(0)
    turn = torch.linalg.qr(torch.randn(d, d, generator=gen))[0]
    scale = torch.arange(1, d+1)**(-power/2)
    return [(torch.randn(n, d, generator=gen)*scale*a) @ turn + b for a, b in ((1, 0), (1.1, .01))]


def paired_precision_recall(rounds, ours, theirs):
    "Both in turns: the ratios of their processor times, theirs over ours, and how far the values are apart"
    ratios, apart = [], 0.
    for r in range(rounds):
        (mine, t), (other, s) = (seconds(ours), seconds(theirs)) if r % 2 else (seconds(theirs), seconds(ours))[::-1]
        ratios.append(s/t)
        apart = max(apart, *(abs(u - v) for u, v in zip(mine, other)))
        print(f"precision, recall: torch-fidelity {s:.1f} s, ours {t:.1f} s: {s/t:.2f}x, values differ by {apart:.1e}", flush=True)
    return dict(times=statistics.median(ratios), least=min(ratios), largest=max(ratios), difference=apart)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--n', type=int, default=10_000, help='samples of each cloud (default: %(default)s)')
    p.add_argument('--d', type=int, default=2048, help='features (default: %(default)s)')
    p.add_argument('--rounds', type=int, default=3, help='rounds, in each of which all three have a turn (default: %(default)s)')
    p.add_argument('--spectrum', type=float, default=1., help='variances fall as rank to the minus this (default: %(default)s)')
    p.add_argument('--threads', type=int, default=1, help="threads of every library (default: %(default)s)")
    p.add_argument('--pairs', type=int, default=1, help="rounds of precision and recall beside torch-fidelity's (default: %(default)s)")
    p.add_argument('--no-features', action='store_true', help='only the Fréchet distance')
    p.add_argument('--json', type=Path, help='write the result to this file')
    a = p.parse_args()
    for name in ('OMP', 'MKL', 'OPENBLAS'): os.environ[f'{name}_NUM_THREADS'] = str(a.threads)
    import numpy as np, scipy.linalg, torch
    torch.set_num_threads(a.threads)
    from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_statistics_to_metric
    from torch_fidelity.metric_prc import KEY_METRIC_PRECISION, KEY_METRIC_RECALL, prc_features_to_metric
    from vidgan_nb.metrics import density_coverage, frechet_distance, frechet_from_moments, kernel_distance, moments, precision_recall
    x, y = clouds(a.n, a.d, a.spectrum, torch)
    (m1, S1), (m2, S2) = moments(x), moments(y)
    u1, C1, u2, C2 = (t.numpy() for t in (m1, S1, m2, S2))

    def ours(): return frechet_from_moments(m1, S1, m2, S2)
    def fidelity(): return fid_statistics_to_metric(dict(mu=u1, sigma=C1), dict(mu=u2, sigma=C2), False)[KEY_METRIC_FID]
    def sqrtm(): return float(np.square(u1 - u2).sum() + np.trace(C1 + C2 - 2*scipy.linalg.sqrtm(C1 @ C2).real))

    def theirs(*clouds):
        "Precision and recall by torch-fidelity, whose first cloud is the generated one"
        found = prc_features_to_metric(*clouds, prc_neighborhood=3, prc_batch_size=10_000, save_cpu_ram=False, verbose=False)
        return found[KEY_METRIC_PRECISION], found[KEY_METRIC_RECALL]

    three, rounds, value = dict(ours=ours, fidelity=fidelity, sqrtm=sqrtm), [], {}
    ours()
    for r in range(a.rounds):
        took = {}
        for who in list(three)[r % 3:] + list(three)[:r % 3]: value[who], took[who] = seconds(three[who])
        rounds.append(took)
    out = dict(n=a.n, d=a.d, spectrum=a.spectrum, threads=a.threads, torch=torch.__version__, seconds={k: statistics.median(t[k] for t in rounds) for k in three})
    for k in ('fidelity', 'sqrtm'):
        ratios = sorted(t[k]/t['ours'] for t in rounds)
        out[k] = dict(times=statistics.median(ratios), least=ratios[0], largest=ratios[-1], relative_difference=abs(value['ours']/value[k] - 1))
        print(f"{k:>10}: {out['seconds'][k]:6.2f} s, ours {out['seconds']['ours']:5.2f} s: {out[k]['times']:.2f}x ({ratios[0]:.2f} to {ratios[-1]:.2f}), relative difference {out[k]['relative_difference']:.1e}", flush=True)
    if not a.no_features:
        for f in (frechet_distance, kernel_distance, precision_recall, density_coverage):
            out['seconds'][f.__name__] = seconds(lambda: f(x, y))[1]
            print(f"{f.__name__:>16} of {a.n} x {a.d}: {out['seconds'][f.__name__]:.1f} s", flush=True)
        if a.pairs: out['precision_recall'] = paired_precision_recall(a.pairs, lambda: precision_recall(x, y), lambda: theirs(y, x))
    if a.json: a.json.write_text(json.dumps(out, indent=1) + '\n', encoding='utf-8')


if __name__ == '__main__': main()
