"""data.police.uk: street-level crime and anti-social behaviour, as the publisher's files hold it."""
