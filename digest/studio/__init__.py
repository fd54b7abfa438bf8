"""The preview studio: an issue as every reader sees it, on this machine and for this machine.

    state     what the address asks for             pure
    cast      through whose eyes                    pure
    mail      the mail in one light                 pure
    workshop  posts and templates, kept hot
    panels/   what is told of an edition
    guard     who may ask
    bell      who is told when something is saved
    watching  files that change
    site      the pages
    serving   the server, and its end

Nothing here asks anybody on a network for anything; only a test mail leaves, through the
configured provider, to an address that was typed.
"""
