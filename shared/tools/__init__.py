"""What people run around the services: the command line, embedded servers, generators and the conformance kit."""
