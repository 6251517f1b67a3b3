"""Questions of the web app, answered as a study that anyone can run again."""
