"""Commands about the index as a whole: is it sound, and how does it come elsewhere?"""
