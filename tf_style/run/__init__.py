"""The run: from two pictures to a stylised one."""
