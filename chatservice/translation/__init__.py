"""
The translation layer: one dialect a module, each turning bytes into requests and events into bytes.
"""
