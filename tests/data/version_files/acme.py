"""A module.

__version__ = "1.2.3"
"""

# __version__ = "1.2.3"
__version__: str = '1.2.3'  # of "1.2.3"
__version_info__ = "1.2.3"
LEFT = "1.2.3"


def told() -> str:
    __version__ = "1.2.3"
    return __version__
