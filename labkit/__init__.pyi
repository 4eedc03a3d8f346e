# The public face: what `import labkit as lab` offers, and the room each name comes from.
# mypy, Tab completion and the lazy loader read this one list.
from .checkup import doctor as doctor
from .control import stop as stop
from .control import stop_all as stop_all
from .engine.session import spark as spark
from .errors import LabkitError as LabkitError
from .events.clicks import Clicks as Clicks
from .events.lines import Lines as Lines
from .events.orders import Orders as Orders
from .events.paths import data as data
from .events.script import Script as Script
from .events.sensors import Sensors as Sensors
from .events.stocks import Stocks as Stocks
from .events.stream import Event as Event
from .events.stream import EventStream as EventStream
from .feeds.feed import drip as drip
from .feeds.feed import feed as feed
from .feeds.folder import folder as folder
from .feeds.socket_server import socket as socket
from .services.kafka import kafka as kafka
from .views.compare import compare as compare
from .views.live_table import live as live
from .views.progress_panel import progress as progress
from .views.registry import headless as headless
from .views.registry import link as link
