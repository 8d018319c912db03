"""Chat clients as people have them, run against real server processes: WeeChat and irssi, `chat` in
a terminal and in pipes, the examples, and programs that use the client library while the server is
killed. They run by themselves (`tox -e clients`) and not with the other tests, as what they show
hardly depends on the version of Python.
"""
