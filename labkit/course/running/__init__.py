"""A learner's function or query, run under guard: step by step, with a time limit."""
