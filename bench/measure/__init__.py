"""What the comparisons share: peers that are started and stopped, CPU time of processes, rounds, medians, result lines."""
