"""The processes of an installation: started, fed, watched."""
