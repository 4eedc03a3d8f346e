"""Real servers on loopback, one file each; one guard ends them with the kernel."""
