"""From the source of a lesson to the learner's copy, built and proven."""
