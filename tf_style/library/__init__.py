"""Libraries of styles: thousands of pictures, described once, that find the right one."""
