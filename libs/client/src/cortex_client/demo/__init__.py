"""The demo: three speakers, three services, real servers, and what comes out of them, on one terminal."""
