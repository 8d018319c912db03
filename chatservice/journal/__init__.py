"""
The ordered, durable record of events: one interface, its drivers, and the group commit in front of
them.
"""
