"""The WGAN-GP critic step against the textbook's, paired and interleaved: medians of ratios, each pair one after the other.

    python tools/bench_wgan.py [--pairs 15] [--bs 64] [--threads N] [--json FILE]

Textbook: generated images attached to the generator, two passes of the critic, PyTorch's LeakyReLU, gradients for everybody,
Adam for the critic. Ours: what `WGANGP.step` does for one update of the critic. Also what importing the package costs over torch.
"""
import argparse, copy, json, statistics, subprocess, sys, time
from pathlib import Path
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def steps(n_h, bs):
    "Both steps on the same weights and images: (textbook, ours), functions without arguments"
    import torch
    from torch import nn
    from vidgan_nb.data import Batches, glyphs
    from vidgan_nb.loops import descend
    from vidgan_nb.nets import Critic, Generator
    from vidgan_nb.wgan import WGANGP
    torch.manual_seed(0)
    G, D, data = Generator(), Critic(n_h), glyphs(1000, colour=True)
    G0, D0, batches = copy.deepcopy(G), copy.deepcopy(D), Batches(data, bs)
    D0.act = nn.LeakyReLU(.01)
    opt = torch.optim.Adam(D0.parameters(), 1e-4, (.5, .9))
    loop = WGANGP(data, G, D, bs=bs)

    def textbook():
        x, _ = next(batches)
        opt.zero_grad()
        y = G0(torch.randn(bs, 128))
        eps = torch.rand(bs, 1, 1, 1)
        mid = (eps*x + (1 - eps)*y.detach()).requires_grad_()
        g, = torch.autograd.grad(D0(mid), mid, torch.ones(bs), create_graph=True, retain_graph=True)
        loss = D0(y).mean() - D0(x).mean() + 10*((g.flatten(1).norm(2, dim=1) - 1)**2).mean()
        loss.backward()
        opt.step()

    def ours():
        x, _ = next(loop.batches)
        with torch.no_grad(): y = loop.G(loop.latent())
        loss, _ = loop.critic_loss(x, y)
        descend(loop.opt_D, loss)

    return textbook, ours


def ratio(a, b, pairs):
    "Median seconds of a and of b, and the median, least and largest of a/b, pair by pair"
    def took(f): t = time.perf_counter(); f(); return time.perf_counter() - t
    a(), b(), a(), b()
    ts = [(took(a), took(b)) if i % 2 else (lambda tb, ta: (ta, tb))(took(b), took(a)) for i in range(pairs)]
    r = sorted(x/y for x, y in ts)
    return dict(textbook_ms=1e3*statistics.median(x for x, _ in ts), ours_ms=1e3*statistics.median(y for _, y in ts), ratio=statistics.median(r), least=r[0], largest=r[-1])


def imports(times=5):
    "Seconds that importing the package and its chapters costs over `import torch`: medians of interleaved processes"
    def took(code): t = time.perf_counter(); subprocess.run([sys.executable, '-c', code], check=True, cwd=Path(__file__).resolve().parents[1]); return time.perf_counter() - t
    codes = dict(torch='import torch', vidgan_nb='import torch, vidgan_nb', wgan='import torch, vidgan_nb.wgan, vidgan_nb.metrics')
    ts = [{k: took(c) for k, c in codes.items()} for _ in range(times)]
    return {k: statistics.median(t[k] - t['torch'] for t in ts) for k in codes if k != 'torch'} | dict(torch=statistics.median(t['torch'] for t in ts))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--pairs', type=int, default=15)
    p.add_argument('--bs', type=int, default=64)
    p.add_argument('--threads', type=int, default=None)
    p.add_argument('--json', type=Path)
    a = p.parse_args()
    import torch
    if a.threads: torch.set_num_threads(a.threads)
    from vidgan_nb.loops import machine
    out = dict(machine=machine(), bs=a.bs, critic_step={}, import_seconds=imports())
    print(f'{"n_h":>5} {"textbook ms":>12} {"ours ms":>9} {"ratio":>7} {"least":>7} {"largest":>8}')
    for n_h in (32, 128):
        r = out['critic_step'][n_h] = ratio(*steps(n_h, a.bs), a.pairs)
        print(f'{n_h:>5} {r["textbook_ms"]:>12.1f} {r["ours_ms"]:>9.1f} {r["ratio"]:>6.2f}x {r["least"]:>6.2f}x {r["largest"]:>7.2f}x')
    i = out['import_seconds']
    print(f'import torch {i["torch"]:.2f} s; vidgan_nb {i["vidgan_nb"]:+.2f} s; vidgan_nb.wgan and .metrics {i["wgan"]:+.2f} s')
    print(f'{out["machine"]["processor"]}, {out["machine"]["threads"]} threads, torch {out["machine"]["torch"]}')
    if a.json: a.json.write_text(json.dumps(out, indent=1))


if __name__ == '__main__':
    main()
