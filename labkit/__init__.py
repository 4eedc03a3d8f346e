"""labkit: learn Spark streaming by watching your own queries.

>>> import labkit as lab
>>> [event.key for event in lab.Orders(seed=7).take(2)] == [
...     event.key for event in lab.Orders(seed=7).take(2)
... ]
True

``import labkit`` starts nothing: each name is imported when it is first used.
"""

import lazy_loader as _lazy

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
