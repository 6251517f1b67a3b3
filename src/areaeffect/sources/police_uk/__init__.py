"""data.police.uk: street-level crime and anti-social behaviour, from the publisher's files."""
