"""
What somebody may do. One function a request: it checks the request against today's state and
returns the event that it becomes, or raises the error that says why not. All permission lives here
(and in `permission`, as far as it follows from a room's modes), once, for every dialect; nothing
here changes the state, stores or tells anything.
"""

from __future__ import annotations

from .accounts import (
    add_certificate,
    change_account,
    change_password,
    check_may_register,
    identify,
    own_account,
    register,
    remove_certificate,
)
from .membership import (
    bring_in,
    check_may_be_in_one_more,
    come_back_to,
    invite,
    join,
    kick,
    leave,
)
from .modes import change_modes, change_user_flag
from .operators import become_operator, change_host, kill, reclaim, wallops
from .rooms import create_room, delete_room, set_topic, set_visibility, transfer
from .talk import (
    conversation_with,
    say_to_ranks,
    say_to_room,
    say_to_user,
    tag_ranks,
    tag_room,
    tag_user,
)
from .users import (
    change_nick,
    check_nick_is_free,
    come_back,
    log_in,
    log_out,
    set_away,
    set_realname,
)

__all__ = [
    "add_certificate",
    "become_operator",
    "bring_in",
    "change_account",
    "change_host",
    "change_modes",
    "change_nick",
    "change_password",
    "change_user_flag",
    "check_may_be_in_one_more",
    "check_may_register",
    "check_nick_is_free",
    "come_back",
    "come_back_to",
    "conversation_with",
    "create_room",
    "delete_room",
    "identify",
    "invite",
    "join",
    "kick",
    "kill",
    "leave",
    "log_in",
    "log_out",
    "own_account",
    "reclaim",
    "register",
    "remove_certificate",
    "say_to_ranks",
    "say_to_room",
    "say_to_user",
    "set_away",
    "set_realname",
    "set_topic",
    "set_visibility",
    "tag_ranks",
    "tag_room",
    "tag_user",
    "transfer",
    "wallops",
]
