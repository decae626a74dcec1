"""The pyhanko command, whose HTTP library (aiohttp) leaves http_proxy out of account unless it is told not to."""
import sys

import aiohttp
from pyhanko.cli import launch

begin = aiohttp.ClientSession.__init__
aiohttp.ClientSession.__init__ = lambda self, *words, **names: begin(self, *words, **{"trust_env": True, **names})
sys.exit(launch())
