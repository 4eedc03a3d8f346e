"""``lab.explain``: what is amiss, in plain words."""
