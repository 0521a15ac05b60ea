"""`streamer bench`: what this machine does, stage by stage, and the network against its limits.

Everything is measured in one run, the stages taking turns, so that a machine that is slower for a while is slower
for all of them; medians over the rounds are reported. docs/runtimes.md says how the figures are to be read.
"""

from streamer.bench.compare import run_comparison
from streamer.bench.flops import convolution_macs
from streamer.bench.gpu import run_gpu_bench
from streamer.bench.run import run_bench

__all__ = ["convolution_macs", "run_bench", "run_comparison", "run_gpu_bench"]
