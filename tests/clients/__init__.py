"""Chat clients as people have them, WeeChat and irssi, run against real server processes: what only
they can tell is whether a client is at home here. They run by themselves (`tox -e clients`) and not
with the other tests, as what they show does not depend on the version of Python.
"""
