"""One audio stream: from the bot's messages to the answers, by steps that know no transport and no database."""
