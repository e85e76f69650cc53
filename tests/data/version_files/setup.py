"""Sets up. version="1.2.3" """
from setuptools import Extension, setup

other = dict(version="1.2.3")
setup(
    name="acme",  # version="1.2.3"
    ext_modules=[Extension("x", version="1.2.3")],
    version="1.2.3",
    install_requires=["left==1.2.3"],
)
later(version="1.2.3")
