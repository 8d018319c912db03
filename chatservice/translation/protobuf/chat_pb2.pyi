from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ClientFrame(_message.Message):
    __slots__ = ("request_id", "say", "tell", "login", "register", "logout", "who_am_i", "where_am_i", "list_rooms", "list_users", "create_room", "delete_room", "join_room", "leave_room", "set_visibility", "invite", "kick", "get_topic", "set_topic", "history", "list_conversations", "ping", "pong", "quit")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SAY_FIELD_NUMBER: _ClassVar[int]
    TELL_FIELD_NUMBER: _ClassVar[int]
    LOGIN_FIELD_NUMBER: _ClassVar[int]
    REGISTER_FIELD_NUMBER: _ClassVar[int]
    LOGOUT_FIELD_NUMBER: _ClassVar[int]
    WHO_AM_I_FIELD_NUMBER: _ClassVar[int]
    WHERE_AM_I_FIELD_NUMBER: _ClassVar[int]
    LIST_ROOMS_FIELD_NUMBER: _ClassVar[int]
    LIST_USERS_FIELD_NUMBER: _ClassVar[int]
    CREATE_ROOM_FIELD_NUMBER: _ClassVar[int]
    DELETE_ROOM_FIELD_NUMBER: _ClassVar[int]
    JOIN_ROOM_FIELD_NUMBER: _ClassVar[int]
    LEAVE_ROOM_FIELD_NUMBER: _ClassVar[int]
    SET_VISIBILITY_FIELD_NUMBER: _ClassVar[int]
    INVITE_FIELD_NUMBER: _ClassVar[int]
    KICK_FIELD_NUMBER: _ClassVar[int]
    GET_TOPIC_FIELD_NUMBER: _ClassVar[int]
    SET_TOPIC_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    LIST_CONVERSATIONS_FIELD_NUMBER: _ClassVar[int]
    PING_FIELD_NUMBER: _ClassVar[int]
    PONG_FIELD_NUMBER: _ClassVar[int]
    QUIT_FIELD_NUMBER: _ClassVar[int]
    request_id: int
    say: Say
    tell: Tell
    login: Login
    register: Register
    logout: Logout
    who_am_i: WhoAmI
    where_am_i: WhereAmI
    list_rooms: ListRooms
    list_users: ListUsers
    create_room: CreateRoom
    delete_room: DeleteRoom
    join_room: JoinRoom
    leave_room: LeaveRoom
    set_visibility: SetVisibility
    invite: Invite
    kick: Kick
    get_topic: GetTopic
    set_topic: SetTopic
    history: History
    list_conversations: ListConversations
    ping: Ping
    pong: Pong
    quit: Quit
    def __init__(self, request_id: _Optional[int] = ..., say: _Optional[_Union[Say, _Mapping]] = ..., tell: _Optional[_Union[Tell, _Mapping]] = ..., login: _Optional[_Union[Login, _Mapping]] = ..., register: _Optional[_Union[Register, _Mapping]] = ..., logout: _Optional[_Union[Logout, _Mapping]] = ..., who_am_i: _Optional[_Union[WhoAmI, _Mapping]] = ..., where_am_i: _Optional[_Union[WhereAmI, _Mapping]] = ..., list_rooms: _Optional[_Union[ListRooms, _Mapping]] = ..., list_users: _Optional[_Union[ListUsers, _Mapping]] = ..., create_room: _Optional[_Union[CreateRoom, _Mapping]] = ..., delete_room: _Optional[_Union[DeleteRoom, _Mapping]] = ..., join_room: _Optional[_Union[JoinRoom, _Mapping]] = ..., leave_room: _Optional[_Union[LeaveRoom, _Mapping]] = ..., set_visibility: _Optional[_Union[SetVisibility, _Mapping]] = ..., invite: _Optional[_Union[Invite, _Mapping]] = ..., kick: _Optional[_Union[Kick, _Mapping]] = ..., get_topic: _Optional[_Union[GetTopic, _Mapping]] = ..., set_topic: _Optional[_Union[SetTopic, _Mapping]] = ..., history: _Optional[_Union[History, _Mapping]] = ..., list_conversations: _Optional[_Union[ListConversations, _Mapping]] = ..., ping: _Optional[_Union[Ping, _Mapping]] = ..., pong: _Optional[_Union[Pong, _Mapping]] = ..., quit: _Optional[_Union[Quit, _Mapping]] = ...) -> None: ...

class ServerFrame(_message.Message):
    __slots__ = ("request_id", "more", "message", "messages", "joined", "left", "kicked", "nick_changed", "invited", "room_deleted", "visibility_changed", "owner_changed", "topic_changed", "killed", "hello", "bye", "ping", "pong", "stored", "done", "error", "identity", "room_list", "user_list", "topic", "history_page", "conversation_list")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    JOINED_FIELD_NUMBER: _ClassVar[int]
    LEFT_FIELD_NUMBER: _ClassVar[int]
    KICKED_FIELD_NUMBER: _ClassVar[int]
    NICK_CHANGED_FIELD_NUMBER: _ClassVar[int]
    INVITED_FIELD_NUMBER: _ClassVar[int]
    ROOM_DELETED_FIELD_NUMBER: _ClassVar[int]
    VISIBILITY_CHANGED_FIELD_NUMBER: _ClassVar[int]
    OWNER_CHANGED_FIELD_NUMBER: _ClassVar[int]
    TOPIC_CHANGED_FIELD_NUMBER: _ClassVar[int]
    KILLED_FIELD_NUMBER: _ClassVar[int]
    HELLO_FIELD_NUMBER: _ClassVar[int]
    BYE_FIELD_NUMBER: _ClassVar[int]
    PING_FIELD_NUMBER: _ClassVar[int]
    PONG_FIELD_NUMBER: _ClassVar[int]
    STORED_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    ROOM_LIST_FIELD_NUMBER: _ClassVar[int]
    USER_LIST_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    HISTORY_PAGE_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_LIST_FIELD_NUMBER: _ClassVar[int]
    request_id: int
    more: bool
    message: Message
    messages: Messages
    joined: Joined
    left: Left
    kicked: Kicked
    nick_changed: NickChanged
    invited: Invited
    room_deleted: RoomDeleted
    visibility_changed: VisibilityChanged
    owner_changed: OwnerChanged
    topic_changed: TopicChanged
    killed: Killed
    hello: Hello
    bye: Bye
    ping: Ping
    pong: Pong
    stored: Stored
    done: Done
    error: Error
    identity: Identity
    room_list: RoomList
    user_list: UserList
    topic: Topic
    history_page: HistoryPage
    conversation_list: ConversationList
    def __init__(self, request_id: _Optional[int] = ..., more: bool = ..., message: _Optional[_Union[Message, _Mapping]] = ..., messages: _Optional[_Union[Messages, _Mapping]] = ..., joined: _Optional[_Union[Joined, _Mapping]] = ..., left: _Optional[_Union[Left, _Mapping]] = ..., kicked: _Optional[_Union[Kicked, _Mapping]] = ..., nick_changed: _Optional[_Union[NickChanged, _Mapping]] = ..., invited: _Optional[_Union[Invited, _Mapping]] = ..., room_deleted: _Optional[_Union[RoomDeleted, _Mapping]] = ..., visibility_changed: _Optional[_Union[VisibilityChanged, _Mapping]] = ..., owner_changed: _Optional[_Union[OwnerChanged, _Mapping]] = ..., topic_changed: _Optional[_Union[TopicChanged, _Mapping]] = ..., killed: _Optional[_Union[Killed, _Mapping]] = ..., hello: _Optional[_Union[Hello, _Mapping]] = ..., bye: _Optional[_Union[Bye, _Mapping]] = ..., ping: _Optional[_Union[Ping, _Mapping]] = ..., pong: _Optional[_Union[Pong, _Mapping]] = ..., stored: _Optional[_Union[Stored, _Mapping]] = ..., done: _Optional[_Union[Done, _Mapping]] = ..., error: _Optional[_Union[Error, _Mapping]] = ..., identity: _Optional[_Union[Identity, _Mapping]] = ..., room_list: _Optional[_Union[RoomList, _Mapping]] = ..., user_list: _Optional[_Union[UserList, _Mapping]] = ..., topic: _Optional[_Union[Topic, _Mapping]] = ..., history_page: _Optional[_Union[HistoryPage, _Mapping]] = ..., conversation_list: _Optional[_Union[ConversationList, _Mapping]] = ...) -> None: ...

class Login(_message.Message):
    __slots__ = ("nick", "password", "realname", "reclaim")
    NICK_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    REALNAME_FIELD_NUMBER: _ClassVar[int]
    RECLAIM_FIELD_NUMBER: _ClassVar[int]
    nick: str
    password: str
    realname: str
    reclaim: bool
    def __init__(self, nick: _Optional[str] = ..., password: _Optional[str] = ..., realname: _Optional[str] = ..., reclaim: bool = ...) -> None: ...

class Register(_message.Message):
    __slots__ = ("password",)
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    password: str
    def __init__(self, password: _Optional[str] = ...) -> None: ...

class Logout(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class WhoAmI(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class WhereAmI(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListRooms(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListUsers(_message.Message):
    __slots__ = ("room",)
    ROOM_FIELD_NUMBER: _ClassVar[int]
    room: str
    def __init__(self, room: _Optional[str] = ...) -> None: ...

class CreateRoom(_message.Message):
    __slots__ = ("room", "private")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    PRIVATE_FIELD_NUMBER: _ClassVar[int]
    room: str
    private: bool
    def __init__(self, room: _Optional[str] = ..., private: bool = ...) -> None: ...

class DeleteRoom(_message.Message):
    __slots__ = ("room",)
    ROOM_FIELD_NUMBER: _ClassVar[int]
    room: str
    def __init__(self, room: _Optional[str] = ...) -> None: ...

class JoinRoom(_message.Message):
    __slots__ = ("room", "key", "create")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    CREATE_FIELD_NUMBER: _ClassVar[int]
    room: str
    key: str
    create: bool
    def __init__(self, room: _Optional[str] = ..., key: _Optional[str] = ..., create: bool = ...) -> None: ...

class LeaveRoom(_message.Message):
    __slots__ = ("room",)
    ROOM_FIELD_NUMBER: _ClassVar[int]
    room: str
    def __init__(self, room: _Optional[str] = ...) -> None: ...

class SetVisibility(_message.Message):
    __slots__ = ("room", "private")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    PRIVATE_FIELD_NUMBER: _ClassVar[int]
    room: str
    private: bool
    def __init__(self, room: _Optional[str] = ..., private: bool = ...) -> None: ...

class Invite(_message.Message):
    __slots__ = ("room", "nick")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    NICK_FIELD_NUMBER: _ClassVar[int]
    room: str
    nick: str
    def __init__(self, room: _Optional[str] = ..., nick: _Optional[str] = ...) -> None: ...

class Kick(_message.Message):
    __slots__ = ("room", "nick", "reason")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    NICK_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    room: str
    nick: str
    reason: str
    def __init__(self, room: _Optional[str] = ..., nick: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class GetTopic(_message.Message):
    __slots__ = ("room",)
    ROOM_FIELD_NUMBER: _ClassVar[int]
    room: str
    def __init__(self, room: _Optional[str] = ...) -> None: ...

class SetTopic(_message.Message):
    __slots__ = ("room", "text")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    room: str
    text: str
    def __init__(self, room: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class Say(_message.Message):
    __slots__ = ("room", "text", "notice", "action", "nonce")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    NOTICE_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    room: str
    text: str
    notice: bool
    action: bool
    nonce: str
    def __init__(self, room: _Optional[str] = ..., text: _Optional[str] = ..., notice: bool = ..., action: bool = ..., nonce: _Optional[str] = ...) -> None: ...

class Tell(_message.Message):
    __slots__ = ("nick", "text", "notice", "action", "nonce")
    NICK_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    NOTICE_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    nick: str
    text: str
    notice: bool
    action: bool
    nonce: str
    def __init__(self, nick: _Optional[str] = ..., text: _Optional[str] = ..., notice: bool = ..., action: bool = ..., nonce: _Optional[str] = ...) -> None: ...

class History(_message.Message):
    __slots__ = ("room", "nick", "limit", "before", "after", "oldest")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    NICK_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    OLDEST_FIELD_NUMBER: _ClassVar[int]
    room: str
    nick: str
    limit: int
    before: Point
    after: Point
    oldest: bool
    def __init__(self, room: _Optional[str] = ..., nick: _Optional[str] = ..., limit: _Optional[int] = ..., before: _Optional[_Union[Point, _Mapping]] = ..., after: _Optional[_Union[Point, _Mapping]] = ..., oldest: bool = ...) -> None: ...

class Point(_message.Message):
    __slots__ = ("id", "ms")
    ID_FIELD_NUMBER: _ClassVar[int]
    MS_FIELD_NUMBER: _ClassVar[int]
    id: str
    ms: int
    def __init__(self, id: _Optional[str] = ..., ms: _Optional[int] = ...) -> None: ...

class ListConversations(_message.Message):
    __slots__ = ("after_ms", "before_ms", "limit")
    AFTER_MS_FIELD_NUMBER: _ClassVar[int]
    BEFORE_MS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    after_ms: int
    before_ms: int
    limit: int
    def __init__(self, after_ms: _Optional[int] = ..., before_ms: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class Ping(_message.Message):
    __slots__ = ("token",)
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    token: str
    def __init__(self, token: _Optional[str] = ...) -> None: ...

class Pong(_message.Message):
    __slots__ = ("token",)
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    token: str
    def __init__(self, token: _Optional[str] = ...) -> None: ...

class Quit(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Message(_message.Message):
    __slots__ = ("id", "ms", "room", "nick", "text", "account", "to", "notice", "action", "nonce")
    ID_FIELD_NUMBER: _ClassVar[int]
    MS_FIELD_NUMBER: _ClassVar[int]
    ROOM_FIELD_NUMBER: _ClassVar[int]
    NICK_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    NOTICE_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    id: str
    ms: int
    room: str
    nick: str
    text: str
    account: str
    to: str
    notice: bool
    action: bool
    nonce: str
    def __init__(self, id: _Optional[str] = ..., ms: _Optional[int] = ..., room: _Optional[str] = ..., nick: _Optional[str] = ..., text: _Optional[str] = ..., account: _Optional[str] = ..., to: _Optional[str] = ..., notice: bool = ..., action: bool = ..., nonce: _Optional[str] = ...) -> None: ...

class Messages(_message.Message):
    __slots__ = ("room", "messages")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    room: str
    messages: _containers.RepeatedCompositeFieldContainer[Message]
    def __init__(self, room: _Optional[str] = ..., messages: _Optional[_Iterable[_Union[Message, _Mapping]]] = ...) -> None: ...

class Joined(_message.Message):
    __slots__ = ("id", "ms", "room", "nick", "account")
    ID_FIELD_NUMBER: _ClassVar[int]
    MS_FIELD_NUMBER: _ClassVar[int]
    ROOM_FIELD_NUMBER: _ClassVar[int]
    NICK_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    id: str
    ms: int
    room: str
    nick: str
    account: str
    def __init__(self, id: _Optional[str] = ..., ms: _Optional[int] = ..., room: _Optional[str] = ..., nick: _Optional[str] = ..., account: _Optional[str] = ...) -> None: ...

class Left(_message.Message):
    __slots__ = ("id", "ms", "room", "nick", "quit", "reason")
    ID_FIELD_NUMBER: _ClassVar[int]
    MS_FIELD_NUMBER: _ClassVar[int]
    ROOM_FIELD_NUMBER: _ClassVar[int]
    NICK_FIELD_NUMBER: _ClassVar[int]
    QUIT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    id: str
    ms: int
    room: str
    nick: str
    quit: bool
    reason: str
    def __init__(self, id: _Optional[str] = ..., ms: _Optional[int] = ..., room: _Optional[str] = ..., nick: _Optional[str] = ..., quit: bool = ..., reason: _Optional[str] = ...) -> None: ...

class Kicked(_message.Message):
    __slots__ = ("id", "ms", "room", "nick", "by", "reason")
    ID_FIELD_NUMBER: _ClassVar[int]
    MS_FIELD_NUMBER: _ClassVar[int]
    ROOM_FIELD_NUMBER: _ClassVar[int]
    NICK_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    id: str
    ms: int
    room: str
    nick: str
    by: str
    reason: str
    def __init__(self, id: _Optional[str] = ..., ms: _Optional[int] = ..., room: _Optional[str] = ..., nick: _Optional[str] = ..., by: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class NickChanged(_message.Message):
    __slots__ = ("id", "ms", "nick", "new_nick")
    ID_FIELD_NUMBER: _ClassVar[int]
    MS_FIELD_NUMBER: _ClassVar[int]
    NICK_FIELD_NUMBER: _ClassVar[int]
    NEW_NICK_FIELD_NUMBER: _ClassVar[int]
    id: str
    ms: int
    nick: str
    new_nick: str
    def __init__(self, id: _Optional[str] = ..., ms: _Optional[int] = ..., nick: _Optional[str] = ..., new_nick: _Optional[str] = ...) -> None: ...

class Invited(_message.Message):
    __slots__ = ("id", "ms", "room", "by")
    ID_FIELD_NUMBER: _ClassVar[int]
    MS_FIELD_NUMBER: _ClassVar[int]
    ROOM_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    id: str
    ms: int
    room: str
    by: str
    def __init__(self, id: _Optional[str] = ..., ms: _Optional[int] = ..., room: _Optional[str] = ..., by: _Optional[str] = ...) -> None: ...

class RoomDeleted(_message.Message):
    __slots__ = ("id", "ms", "room", "by")
    ID_FIELD_NUMBER: _ClassVar[int]
    MS_FIELD_NUMBER: _ClassVar[int]
    ROOM_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    id: str
    ms: int
    room: str
    by: str
    def __init__(self, id: _Optional[str] = ..., ms: _Optional[int] = ..., room: _Optional[str] = ..., by: _Optional[str] = ...) -> None: ...

class VisibilityChanged(_message.Message):
    __slots__ = ("id", "ms", "room", "private", "by")
    ID_FIELD_NUMBER: _ClassVar[int]
    MS_FIELD_NUMBER: _ClassVar[int]
    ROOM_FIELD_NUMBER: _ClassVar[int]
    PRIVATE_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    id: str
    ms: int
    room: str
    private: bool
    by: str
    def __init__(self, id: _Optional[str] = ..., ms: _Optional[int] = ..., room: _Optional[str] = ..., private: bool = ..., by: _Optional[str] = ...) -> None: ...

class OwnerChanged(_message.Message):
    __slots__ = ("id", "ms", "room", "nick", "by")
    ID_FIELD_NUMBER: _ClassVar[int]
    MS_FIELD_NUMBER: _ClassVar[int]
    ROOM_FIELD_NUMBER: _ClassVar[int]
    NICK_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    id: str
    ms: int
    room: str
    nick: str
    by: str
    def __init__(self, id: _Optional[str] = ..., ms: _Optional[int] = ..., room: _Optional[str] = ..., nick: _Optional[str] = ..., by: _Optional[str] = ...) -> None: ...

class TopicChanged(_message.Message):
    __slots__ = ("id", "ms", "room", "nick", "text")
    ID_FIELD_NUMBER: _ClassVar[int]
    MS_FIELD_NUMBER: _ClassVar[int]
    ROOM_FIELD_NUMBER: _ClassVar[int]
    NICK_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    id: str
    ms: int
    room: str
    nick: str
    text: str
    def __init__(self, id: _Optional[str] = ..., ms: _Optional[int] = ..., room: _Optional[str] = ..., nick: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class Killed(_message.Message):
    __slots__ = ("id", "ms", "by", "reclaimed", "reason")
    ID_FIELD_NUMBER: _ClassVar[int]
    MS_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    RECLAIMED_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    id: str
    ms: int
    by: str
    reclaimed: bool
    reason: str
    def __init__(self, id: _Optional[str] = ..., ms: _Optional[int] = ..., by: _Optional[str] = ..., reclaimed: bool = ..., reason: _Optional[str] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("server", "version", "max_frame_bytes", "max_text_bytes", "max_history")
    SERVER_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    MAX_FRAME_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_TEXT_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_HISTORY_FIELD_NUMBER: _ClassVar[int]
    server: str
    version: str
    max_frame_bytes: int
    max_text_bytes: int
    max_history: int
    def __init__(self, server: _Optional[str] = ..., version: _Optional[str] = ..., max_frame_bytes: _Optional[int] = ..., max_text_bytes: _Optional[int] = ..., max_history: _Optional[int] = ...) -> None: ...

class Bye(_message.Message):
    __slots__ = ("reason",)
    REASON_FIELD_NUMBER: _ClassVar[int]
    reason: str
    def __init__(self, reason: _Optional[str] = ...) -> None: ...

class Stored(_message.Message):
    __slots__ = ("id", "ms")
    ID_FIELD_NUMBER: _ClassVar[int]
    MS_FIELD_NUMBER: _ClassVar[int]
    id: str
    ms: int
    def __init__(self, id: _Optional[str] = ..., ms: _Optional[int] = ...) -> None: ...

class Done(_message.Message):
    __slots__ = ("room", "nick", "id", "ms", "private")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    NICK_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    MS_FIELD_NUMBER: _ClassVar[int]
    PRIVATE_FIELD_NUMBER: _ClassVar[int]
    room: str
    nick: str
    id: str
    ms: int
    private: bool
    def __init__(self, room: _Optional[str] = ..., nick: _Optional[str] = ..., id: _Optional[str] = ..., ms: _Optional[int] = ..., private: bool = ...) -> None: ...

class Error(_message.Message):
    __slots__ = ("code", "words")
    class Code(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        UNSPECIFIED: _ClassVar[Error.Code]
        UNKNOWN_COMMAND: _ClassVar[Error.Code]
        BAD_ARGUMENTS: _ClassVar[Error.Code]
        LINE_TOO_LONG: _ClassVar[Error.Code]
        NOT_UTF8: _ClassVar[Error.Code]
        NOT_LOGGED_IN: _ClassVar[Error.Code]
        ALREADY_LOGGED_IN: _ClassVar[Error.Code]
        NICK_IN_USE: _ClassVar[Error.Code]
        BAD_NICK: _ClassVar[Error.Code]
        BAD_ROOM_NAME: _ClassVar[Error.Code]
        BAD_PASSWORD: _ClassVar[Error.Code]
        NO_SUCH_ROOM: _ClassVar[Error.Code]
        NO_SUCH_USER: _ClassVar[Error.Code]
        ROOM_EXISTS: _ClassVar[Error.Code]
        NOT_OWNER: _ClassVar[Error.Code]
        NOT_IN_ROOM: _ClassVar[Error.Code]
        ALREADY_IN_ROOM: _ClassVar[Error.Code]
        PRIVATE_ROOM: _ClassVar[Error.Code]
        TOO_MANY: _ClassVar[Error.Code]
        TOO_FAST: _ClassVar[Error.Code]
        UNAVAILABLE: _ClassVar[Error.Code]
        BANNED: _ClassVar[Error.Code]
        BAD_KEY: _ClassVar[Error.Code]
        MUTED: _ClassVar[Error.Code]
        NEEDS_ACCOUNT: _ClassVar[Error.Code]
        NOT_OPERATOR: _ClassVar[Error.Code]
    UNSPECIFIED: Error.Code
    UNKNOWN_COMMAND: Error.Code
    BAD_ARGUMENTS: Error.Code
    LINE_TOO_LONG: Error.Code
    NOT_UTF8: Error.Code
    NOT_LOGGED_IN: Error.Code
    ALREADY_LOGGED_IN: Error.Code
    NICK_IN_USE: Error.Code
    BAD_NICK: Error.Code
    BAD_ROOM_NAME: Error.Code
    BAD_PASSWORD: Error.Code
    NO_SUCH_ROOM: Error.Code
    NO_SUCH_USER: Error.Code
    ROOM_EXISTS: Error.Code
    NOT_OWNER: Error.Code
    NOT_IN_ROOM: Error.Code
    ALREADY_IN_ROOM: Error.Code
    PRIVATE_ROOM: Error.Code
    TOO_MANY: Error.Code
    TOO_FAST: Error.Code
    UNAVAILABLE: Error.Code
    BANNED: Error.Code
    BAD_KEY: Error.Code
    MUTED: Error.Code
    NEEDS_ACCOUNT: Error.Code
    NOT_OPERATOR: Error.Code
    CODE_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    code: Error.Code
    words: str
    def __init__(self, code: _Optional[_Union[Error.Code, str]] = ..., words: _Optional[str] = ...) -> None: ...

class Identity(_message.Message):
    __slots__ = ("nick", "account", "ms")
    NICK_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    MS_FIELD_NUMBER: _ClassVar[int]
    nick: str
    account: str
    ms: int
    def __init__(self, nick: _Optional[str] = ..., account: _Optional[str] = ..., ms: _Optional[int] = ...) -> None: ...

class RoomList(_message.Message):
    __slots__ = ("rooms",)
    ROOMS_FIELD_NUMBER: _ClassVar[int]
    rooms: _containers.RepeatedCompositeFieldContainer[Room]
    def __init__(self, rooms: _Optional[_Iterable[_Union[Room, _Mapping]]] = ...) -> None: ...

class Room(_message.Message):
    __slots__ = ("name", "private", "members", "topic")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PRIVATE_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    name: str
    private: bool
    members: int
    topic: str
    def __init__(self, name: _Optional[str] = ..., private: bool = ..., members: _Optional[int] = ..., topic: _Optional[str] = ...) -> None: ...

class UserList(_message.Message):
    __slots__ = ("users",)
    USERS_FIELD_NUMBER: _ClassVar[int]
    users: _containers.RepeatedCompositeFieldContainer[User]
    def __init__(self, users: _Optional[_Iterable[_Union[User, _Mapping]]] = ...) -> None: ...

class User(_message.Message):
    __slots__ = ("nick", "account", "away")
    NICK_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    AWAY_FIELD_NUMBER: _ClassVar[int]
    nick: str
    account: str
    away: str
    def __init__(self, nick: _Optional[str] = ..., account: _Optional[str] = ..., away: _Optional[str] = ...) -> None: ...

class Topic(_message.Message):
    __slots__ = ("room", "text", "nick", "ms")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    NICK_FIELD_NUMBER: _ClassVar[int]
    MS_FIELD_NUMBER: _ClassVar[int]
    room: str
    text: str
    nick: str
    ms: int
    def __init__(self, room: _Optional[str] = ..., text: _Optional[str] = ..., nick: _Optional[str] = ..., ms: _Optional[int] = ...) -> None: ...

class HistoryPage(_message.Message):
    __slots__ = ("room", "nick", "messages", "first_id", "last_id")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    NICK_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    FIRST_ID_FIELD_NUMBER: _ClassVar[int]
    LAST_ID_FIELD_NUMBER: _ClassVar[int]
    room: str
    nick: str
    messages: _containers.RepeatedCompositeFieldContainer[Message]
    first_id: str
    last_id: str
    def __init__(self, room: _Optional[str] = ..., nick: _Optional[str] = ..., messages: _Optional[_Iterable[_Union[Message, _Mapping]]] = ..., first_id: _Optional[str] = ..., last_id: _Optional[str] = ...) -> None: ...

class ConversationList(_message.Message):
    __slots__ = ("conversations",)
    CONVERSATIONS_FIELD_NUMBER: _ClassVar[int]
    conversations: _containers.RepeatedCompositeFieldContainer[Conversation]
    def __init__(self, conversations: _Optional[_Iterable[_Union[Conversation, _Mapping]]] = ...) -> None: ...

class Conversation(_message.Message):
    __slots__ = ("room", "nick", "ms")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    NICK_FIELD_NUMBER: _ClassVar[int]
    MS_FIELD_NUMBER: _ClassVar[int]
    room: str
    nick: str
    ms: int
    def __init__(self, room: _Optional[str] = ..., nick: _Optional[str] = ..., ms: _Optional[int] = ...) -> None: ...
