"""What the learner sees: one fold and one render per view, one frame per micro-batch."""
