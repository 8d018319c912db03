"""
The numerics of IRC that this server sends: number, name and words, in one table. Which parameters
stand before the words is known by whoever sends one.

Specifications: Modern IRC, "Numerics"; RFC 2812 section 5; the IRCv3 extensions that define their
own (MONITOR, SASL, WHOX).
"""

from __future__ import annotations

from typing import NamedTuple


class Numeric(NamedTuple):
    """
    @ivar code: three digits.
    @ivar name: as the specifications have it.
    @ivar words: the last parameter; empty if there is none, or if it is not always the same.
    """

    code: str
    name: str
    words: str


NUMERICS: dict[str, Numeric] = {}
"""All of them, by name."""


def _numeric(code: int, name: str, words: str = "") -> Numeric:
    numeric = NUMERICS[name] = Numeric(f"{code:03}", name, words)
    return numeric


# Registration.

RPL_WELCOME = _numeric(1, "RPL_WELCOME")
RPL_YOURHOST = _numeric(2, "RPL_YOURHOST")
RPL_CREATED = _numeric(3, "RPL_CREATED")
RPL_MYINFO = _numeric(4, "RPL_MYINFO")
RPL_ISUPPORT = _numeric(5, "RPL_ISUPPORT", "are supported by this server")

# The server.

RPL_ENDOFSTATS = _numeric(219, "RPL_ENDOFSTATS", "End of /STATS report")
RPL_UMODEIS = _numeric(221, "RPL_UMODEIS")
RPL_STATSUPTIME = _numeric(242, "RPL_STATSUPTIME")
RPL_STATSOLINE = _numeric(243, "RPL_STATSOLINE")
RPL_LUSERCLIENT = _numeric(251, "RPL_LUSERCLIENT")
RPL_LUSEROP = _numeric(252, "RPL_LUSEROP", "operator(s) online")
RPL_LUSERUNKNOWN = _numeric(253, "RPL_LUSERUNKNOWN", "unregistered connections")
RPL_LUSERCHANNELS = _numeric(254, "RPL_LUSERCHANNELS", "channels formed")
RPL_LUSERME = _numeric(255, "RPL_LUSERME")
RPL_ADMINME = _numeric(256, "RPL_ADMINME", "Administrative info")
RPL_ADMINLOC1 = _numeric(257, "RPL_ADMINLOC1")
RPL_ADMINLOC2 = _numeric(258, "RPL_ADMINLOC2")
RPL_ADMINEMAIL = _numeric(259, "RPL_ADMINEMAIL")
RPL_TRYAGAIN = _numeric(263, "RPL_TRYAGAIN", "Please wait a while and try again")
RPL_LOCALUSERS = _numeric(265, "RPL_LOCALUSERS")
RPL_GLOBALUSERS = _numeric(266, "RPL_GLOBALUSERS")
RPL_WHOISCERTFP = _numeric(276, "RPL_WHOISCERTFP")

# Users.

RPL_AWAY = _numeric(301, "RPL_AWAY")
RPL_USERHOST = _numeric(302, "RPL_USERHOST")
RPL_ISON = _numeric(303, "RPL_ISON")
RPL_UNAWAY = _numeric(305, "RPL_UNAWAY", "You are no longer marked as being away")
RPL_NOWAWAY = _numeric(306, "RPL_NOWAWAY", "You have been marked as being away")
RPL_WHOISUSER = _numeric(311, "RPL_WHOISUSER")
RPL_WHOISSERVER = _numeric(312, "RPL_WHOISSERVER")
RPL_WHOISOPERATOR = _numeric(313, "RPL_WHOISOPERATOR", "is a server operator")
RPL_WHOWASUSER = _numeric(314, "RPL_WHOWASUSER")
RPL_ENDOFWHO = _numeric(315, "RPL_ENDOFWHO", "End of WHO list")
RPL_WHOISIDLE = _numeric(317, "RPL_WHOISIDLE", "seconds idle, signon time")
RPL_ENDOFWHOIS = _numeric(318, "RPL_ENDOFWHOIS", "End of /WHOIS list")
RPL_WHOISCHANNELS = _numeric(319, "RPL_WHOISCHANNELS")

# Channels.

RPL_LIST = _numeric(322, "RPL_LIST")
RPL_LISTEND = _numeric(323, "RPL_LISTEND", "End of LIST")
RPL_CHANNELMODEIS = _numeric(324, "RPL_CHANNELMODEIS")
RPL_CREATIONTIME = _numeric(329, "RPL_CREATIONTIME")
RPL_WHOISACCOUNT = _numeric(330, "RPL_WHOISACCOUNT", "is logged in as")
RPL_NOTOPIC = _numeric(331, "RPL_NOTOPIC", "No topic is set")
RPL_TOPIC = _numeric(332, "RPL_TOPIC")
RPL_TOPICWHOTIME = _numeric(333, "RPL_TOPICWHOTIME")
RPL_WHOISBOT = _numeric(335, "RPL_WHOISBOT", "is a bot")
RPL_INVITELIST = _numeric(336, "RPL_INVITELIST")
RPL_ENDOFINVITELIST = _numeric(337, "RPL_ENDOFINVITELIST", "End of /INVITE list")
RPL_WHOISACTUALLY = _numeric(338, "RPL_WHOISACTUALLY", "is actually using host")
RPL_INVITING = _numeric(341, "RPL_INVITING")
RPL_INVEXLIST = _numeric(346, "RPL_INVEXLIST")
RPL_ENDOFINVEXLIST = _numeric(347, "RPL_ENDOFINVEXLIST", "End of channel invite exception list")
RPL_EXCEPTLIST = _numeric(348, "RPL_EXCEPTLIST")
RPL_ENDOFEXCEPTLIST = _numeric(349, "RPL_ENDOFEXCEPTLIST", "End of channel exception list")
RPL_VERSION = _numeric(351, "RPL_VERSION")
RPL_WHOREPLY = _numeric(352, "RPL_WHOREPLY")
RPL_NAMREPLY = _numeric(353, "RPL_NAMREPLY")
RPL_WHOSPCRPL = _numeric(354, "RPL_WHOSPCRPL")
RPL_LINKS = _numeric(364, "RPL_LINKS")
RPL_ENDOFLINKS = _numeric(365, "RPL_ENDOFLINKS", "End of LINKS list")
RPL_ENDOFNAMES = _numeric(366, "RPL_ENDOFNAMES", "End of NAMES list")
RPL_BANLIST = _numeric(367, "RPL_BANLIST")
RPL_ENDOFBANLIST = _numeric(368, "RPL_ENDOFBANLIST", "End of channel ban list")
RPL_ENDOFWHOWAS = _numeric(369, "RPL_ENDOFWHOWAS", "End of WHOWAS")
RPL_INFO = _numeric(371, "RPL_INFO")
RPL_MOTD = _numeric(372, "RPL_MOTD")
RPL_ENDOFINFO = _numeric(374, "RPL_ENDOFINFO", "End of INFO list")
RPL_MOTDSTART = _numeric(375, "RPL_MOTDSTART")
RPL_ENDOFMOTD = _numeric(376, "RPL_ENDOFMOTD", "End of /MOTD command")
RPL_YOUREOPER = _numeric(381, "RPL_YOUREOPER", "You are now an IRC operator")
RPL_REHASHING = _numeric(382, "RPL_REHASHING", "Rehashing")
RPL_TIME = _numeric(391, "RPL_TIME")

# Refusals.

ERR_UNKNOWNERROR = _numeric(400, "ERR_UNKNOWNERROR")
ERR_NOSUCHNICK = _numeric(401, "ERR_NOSUCHNICK", "No such nick")
ERR_NOSUCHSERVER = _numeric(402, "ERR_NOSUCHSERVER", "No such server")
ERR_NOSUCHCHANNEL = _numeric(403, "ERR_NOSUCHCHANNEL", "No such channel")
ERR_CANNOTSENDTOCHAN = _numeric(404, "ERR_CANNOTSENDTOCHAN", "Cannot send to channel")
ERR_TOOMANYCHANNELS = _numeric(405, "ERR_TOOMANYCHANNELS", "You have joined too many channels")
ERR_WASNOSUCHNICK = _numeric(406, "ERR_WASNOSUCHNICK", "There was no such nickname")
ERR_TOOMANYTARGETS = _numeric(407, "ERR_TOOMANYTARGETS", "Too many targets")
ERR_NOORIGIN = _numeric(409, "ERR_NOORIGIN", "No origin specified")
ERR_INVALIDCAPCMD = _numeric(410, "ERR_INVALIDCAPCMD", "Invalid CAP command")
ERR_NORECIPIENT = _numeric(411, "ERR_NORECIPIENT", "No recipient given")
ERR_NOTEXTTOSEND = _numeric(412, "ERR_NOTEXTTOSEND", "No text to send")
ERR_INPUTTOOLONG = _numeric(417, "ERR_INPUTTOOLONG", "Input line was too long")
ERR_UNKNOWNCOMMAND = _numeric(421, "ERR_UNKNOWNCOMMAND", "Unknown command")
ERR_NOMOTD = _numeric(422, "ERR_NOMOTD", "MOTD File is missing")
ERR_NOADMININFO = _numeric(423, "ERR_NOADMININFO", "No administrative info available")
ERR_NONICKNAMEGIVEN = _numeric(431, "ERR_NONICKNAMEGIVEN", "No nickname given")
ERR_ERRONEUSNICKNAME = _numeric(432, "ERR_ERRONEUSNICKNAME", "Erroneous nickname")
ERR_NICKNAMEINUSE = _numeric(433, "ERR_NICKNAMEINUSE", "Nickname is already in use")
ERR_USERNOTINCHANNEL = _numeric(441, "ERR_USERNOTINCHANNEL", "They aren't on that channel")
ERR_NOTONCHANNEL = _numeric(442, "ERR_NOTONCHANNEL", "You're not on that channel")
ERR_USERONCHANNEL = _numeric(443, "ERR_USERONCHANNEL", "is already on channel")
ERR_NOTREGISTERED = _numeric(
    451, "ERR_NOTREGISTERED", "You need to register before you can do that"
)
ERR_NEEDMOREPARAMS = _numeric(461, "ERR_NEEDMOREPARAMS", "Not enough parameters")
ERR_ALREADYREGISTERED = _numeric(462, "ERR_ALREADYREGISTERED", "You may not reregister")
ERR_PASSWDMISMATCH = _numeric(464, "ERR_PASSWDMISMATCH", "Password incorrect")
ERR_LINKCHANNEL = _numeric(470, "ERR_LINKCHANNEL", "Forwarding to another channel")
ERR_CHANNELISFULL = _numeric(471, "ERR_CHANNELISFULL", "Cannot join channel (+l)")
ERR_UNKNOWNMODE = _numeric(472, "ERR_UNKNOWNMODE", "is an unknown mode character to me")
ERR_INVITEONLYCHAN = _numeric(473, "ERR_INVITEONLYCHAN", "Cannot join channel (+i)")
ERR_BANNEDFROMCHAN = _numeric(474, "ERR_BANNEDFROMCHAN", "Cannot join channel (+b)")
ERR_BADCHANNELKEY = _numeric(475, "ERR_BADCHANNELKEY", "Cannot join channel (+k)")
ERR_BADCHANMASK = _numeric(476, "ERR_BADCHANMASK", "Invalid channel name")
ERR_NEEDREGGEDNICK = _numeric(477, "ERR_NEEDREGGEDNICK", "You need an account for that")
ERR_BANLISTFULL = _numeric(478, "ERR_BANLISTFULL", "Channel list is full")
ERR_NOPRIVILEGES = _numeric(
    481, "ERR_NOPRIVILEGES", "Permission Denied - You're not an IRC operator"
)
ERR_CHANOPRIVSNEEDED = _numeric(482, "ERR_CHANOPRIVSNEEDED", "You're not channel operator")
ERR_NOOPERHOST = _numeric(491, "ERR_NOOPERHOST", "You may not become an operator")
ERR_UMODEUNKNOWNFLAG = _numeric(501, "ERR_UMODEUNKNOWNFLAG", "Unknown MODE flag")
ERR_USERSDONTMATCH = _numeric(502, "ERR_USERSDONTMATCH", "Can't change mode for other users")
ERR_HELPNOTFOUND = _numeric(524, "ERR_HELPNOTFOUND", "No help available on this topic")

# Further.

RPL_WHOISSECURE = _numeric(671, "RPL_WHOISSECURE", "is using a secure connection")
ERR_INVALIDMODEPARAM = _numeric(696, "ERR_INVALIDMODEPARAM")
ERR_LISTMODEALREADYSET = _numeric(697, "ERR_LISTMODEALREADYSET", "The list has that already")
ERR_LISTMODENOTSET = _numeric(698, "ERR_LISTMODENOTSET", "The list does not have that")
RPL_HELPSTART = _numeric(704, "RPL_HELPSTART")
RPL_HELPTXT = _numeric(705, "RPL_HELPTXT")
RPL_ENDOFHELP = _numeric(706, "RPL_ENDOFHELP", "End of /HELP")
RPL_MONONLINE = _numeric(730, "RPL_MONONLINE")
RPL_MONOFFLINE = _numeric(731, "RPL_MONOFFLINE")
RPL_MONLIST = _numeric(732, "RPL_MONLIST")
RPL_ENDOFMONLIST = _numeric(733, "RPL_ENDOFMONLIST", "End of MONITOR list")
ERR_MONLISTFULL = _numeric(734, "ERR_MONLISTFULL", "Monitor list is full")

# SASL.

RPL_LOGGEDIN = _numeric(900, "RPL_LOGGEDIN")
RPL_LOGGEDOUT = _numeric(901, "RPL_LOGGEDOUT", "You are now logged out")
RPL_SASLSUCCESS = _numeric(903, "RPL_SASLSUCCESS", "SASL authentication successful")
ERR_SASLFAIL = _numeric(904, "ERR_SASLFAIL", "SASL authentication failed")
ERR_SASLTOOLONG = _numeric(905, "ERR_SASLTOOLONG", "SASL message too long")
ERR_SASLABORTED = _numeric(906, "ERR_SASLABORTED", "SASL authentication aborted")
RPL_SASLMECHS = _numeric(908, "RPL_SASLMECHS", "are available SASL mechanisms")
