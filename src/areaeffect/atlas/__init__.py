"""The map and tables that the web app works on."""
